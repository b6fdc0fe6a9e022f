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

/** A value, and how it was come by: a path of each value of a large document would be as large again many times. */
interface Visit {
  readonly value: unknown;
  readonly key: string | number;
  readonly parent?: Visit;
  /** How long its path is. */
  readonly depth: number;
}

/** Accepts a map of plain JSON of bearable size; anything else is refused. Never recurses. */
export function gate(spec: unknown): Gated {
  if (spec === undefined || spec === null) return { kind: 'passed', spec: {} };
  if (!isJsonObject(spec))
    return refused('wrongType', ['spec'], 'spec is not a map', 'Write fields under spec.');
  const open: Visit[] = [{ value: spec, key: 'spec', depth: 1 }];
  let nodes = 1;
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    nodes += childCount(visit.value);
    const fault = nodes > MAX_NODES ? tooLarge() : faultOf(visit);
    if (fault !== undefined) return fault;
    pushChildren(open, visit);
  }
  return { kind: 'passed', spec };
}

function faultOf(visit: Visit): Gated | undefined {
  const { value, depth } = visit;
  if (depth > MAX_DEPTH) {
    return refused(
      'documentTooLarge',
      pathOf(visit).slice(0, 4),
      `it is nested deeper than ${MAX_DEPTH} levels`,
      SMALLER,
    );
  }
  if (!isJsonObject(value)) return isPlain(value) ? undefined : notPlain(pathOf(visit));
  const forbidden = Object.keys(value).find((key) => !isMergeableKey(key));
  if (forbidden === undefined) return undefined;
  return refused(
    'forbiddenKey',
    [...pathOf(visit), forbidden],
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

function childCount(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

function pushChildren(open: Visit[], parent: Visit): void {
  const { value, depth } = parent;
  const push = (item: unknown, key: string | number): void =>
    void open.push({ value: item, key, parent, depth: depth + 1 });
  if (Array.isArray(value)) value.forEach(push);
  else if (isJsonObject(value)) for (const [key, item] of Object.entries(value)) push(item, key);
}

function pathOf({ key, parent }: Visit): FieldPath {
  const path: (string | number)[] = [key];
  for (let above = parent; above !== undefined; above = above.parent) path.push(above.key);
  return path.toReversed();
}

function refused(
  name: 'wrongType' | 'documentTooLarge' | 'forbiddenKey',
  path: FieldPath,
  cause: string,
  remedy: string,
): Gated {
  return { kind: 'refused', diagnostic: diagnose(name, { path, cause, remedy }) };
}
