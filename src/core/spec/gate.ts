/** The first look at anything a user hands us, before any other code walks through it. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { isMergeableKey } from '../merge.ts';

/** Far above any real resource; low enough that recursive code cannot overflow the stack. */
export const MAX_DEPTH = 100;
/** Fifty times the largest real resource that we know of; with more, planning takes minutes. */
export const MAX_NODES = 20_000;

export type Gated =
  | { readonly kind: 'passed'; readonly spec: JsonObject }
  | { readonly kind: 'refused'; readonly diagnostic: Diagnostic };

interface Visit {
  readonly value: unknown;
  readonly path: FieldPath;
}

/** Accepts a map of plain JSON of bearable size; anything else is refused. Never recurses. */
export function gate(spec: unknown): Gated {
  if (spec === undefined || spec === null) return { kind: 'passed', spec: {} };
  if (!isJsonObject(spec))
    return refused('wrongType', ['spec'], 'spec is not a map', 'Write fields under spec.');
  const open: Visit[] = [{ value: spec, path: ['spec'] }];
  let nodes = 0;
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    nodes += 1;
    const fault = nodes > MAX_NODES ? tooLarge() : faultOf(visit);
    if (fault !== undefined) return fault;
    for (const child of childrenOf(visit)) open.push(child);
  }
  return { kind: 'passed', spec };
}

function faultOf({ value, path }: Visit): Gated | undefined {
  if (path.length > MAX_DEPTH) {
    return refused(
      'documentTooLarge',
      path.slice(0, 4),
      `it is nested deeper than ${MAX_DEPTH} levels`,
      SMALLER,
    );
  }
  if (!isJsonObject(value)) return isPlain(value) ? undefined : notPlain(path);
  const forbidden = Object.keys(value).find((key) => !isMergeableKey(key));
  if (forbidden === undefined) return undefined;
  return refused(
    'forbiddenKey',
    [...path, forbidden],
    `the key "${forbidden}" is not allowed`,
    'Remove the key.',
  );
}

const SMALLER = 'Split the resource, or remove what does not belong there.';

function tooLarge(): Gated {
  return refused('documentTooLarge', ['spec'], `it has more than ${MAX_NODES} values`, SMALLER);
}

function notPlain(path: FieldPath): Gated {
  return refused('wrongType', path, 'the value is not JSON', 'Use text, numbers, booleans, lists and maps.');
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || Array.isArray(value) || ['string', 'boolean'].includes(typeof value);
}

function childrenOf({ value, path }: Visit): readonly Visit[] {
  if (Array.isArray(value))
    return value.map((item: unknown, index) => ({ value: item, path: [...path, index] }));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).map(([key, item]) => ({ value: item, path: [...path, key] }));
}

function refused(
  name: 'wrongType' | 'documentTooLarge' | 'forbiddenKey',
  path: FieldPath,
  cause: string,
  remedy: string,
): Gated {
  return { kind: 'refused', diagnostic: diagnose(name, { path, cause, remedy }) };
}
