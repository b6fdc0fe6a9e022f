/** `--set path=value`: the command line's way of changing a specification. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import { isMergeableKey } from '../merge.ts';
import type { PathStep, TreeChange } from '../tree-path.ts';
import { parseTreePath, printStep, printTreePath, writeAt } from '../tree-path.ts';

export interface SetFlag {
  readonly text: string;
  readonly steps: readonly PathStep[];
  readonly value: JsonValue;
}

export type ParsedSetFlag =
  | { readonly kind: 'set'; readonly flag: SetFlag }
  | { readonly kind: 'invalid'; readonly diagnostic: Diagnostic };

/** Fields whose values are texts even when they look like numbers: `1.30` must not become 1.3. */
const TEXT_FIELDS = new Set(['tag', 'revision', 'compatibilityVersion', 'installPackagePath']);
const TEXT_PREFIXES = [
  'meshConfig.defaultConfig.proxyMetadata.',
  'values.meshConfig.defaultConfig.proxyMetadata.',
];

/** Reads one flag. The path is relative to `spec`; a leading `spec.` is accepted, as older releases did. */
export function parseSetFlag(text: string): ParsedSetFlag {
  const equals = text.indexOf('=');
  if (equals === -1) return invalid(text, 'there is no "=" in it', 'Write --set path=value.');
  const path = parseTreePath(text.slice(0, equals).replace(/^spec\./u, ''));
  if (path.kind === 'invalid')
    return invalid(text, path.cause, 'Write the path as in components.pilot.enabled.');
  const forbidden = path.steps.find((step) => step.kind === 'key' && !isMergeableKey(step.key));
  if (forbidden !== undefined)
    return invalid(text, `the key "${printStep(forbidden)}" is not allowed`, 'Remove the key.');
  const raw = text.slice(equals + 1);
  return {
    kind: 'set',
    flag: { text, steps: path.steps, value: isText(path.steps) ? raw : typedValue(raw) },
  };
}

function isText(steps: readonly PathStep[]): boolean {
  const last = steps.at(-1);
  if (last?.kind === 'key' && TEXT_FIELDS.has(last.key)) return true;
  const path = printTreePath(steps);
  return TEXT_PREFIXES.some((prefix) => path.startsWith(prefix));
}

const TRUE = new Set(['t', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['f', 'F', 'FALSE', 'false', 'False']);

/** Guesses as upstream does: a whole number, a fraction, a boolean in Go's spellings, else text. */
function typedValue(raw: string): JsonValue {
  if (/^[+-]?\d+$/u.test(raw) && Number.isSafeInteger(Number(raw))) return Number(raw);
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(raw) && Number.isFinite(Number(raw)))
    return Number(raw);
  if (TRUE.has(raw)) return true;
  if (FALSE.has(raw)) return false;
  return raw.replaceAll(String.raw`\,`, ',');
}

export type SetResult =
  | { readonly kind: 'set'; readonly spec: JsonObject }
  | { readonly kind: 'invalid'; readonly diagnostic: Diagnostic };

/** Applies one flag to a specification, which is not changed itself. */
export function applySetFlag(spec: JsonObject, flag: SetFlag): SetResult {
  const change = writeAt(spec, flag.steps, flag.value, { keepType: false });
  if (change.kind === 'changed' && isJsonObject(change.tree)) return { kind: 'set', spec: change.tree };
  return invalid(flag.text, causeOf(change, flag), 'Name an element that exists; profile dump shows them.');
}

function causeOf(change: TreeChange, flag: SetFlag): string {
  if (change.kind === 'notFound') {
    const step = flag.steps[change.depth];
    const known =
      change.candidates.length === 0 ? 'the list is empty' : `there are ${change.candidates.join(', ')}`;
    return `${step === undefined ? '' : printStep(step)} matches nothing: ${known}`;
  }
  if (change.kind === 'typeMismatch') {
    const place = printTreePath(flag.steps.slice(0, change.depth));
    return `${place === '' ? 'the specification' : place} is a ${change.found}, not a ${change.wanted}`;
  }
  return 'the path leads nowhere';
}

function invalid(text: string, cause: string, remedy: string): { kind: 'invalid'; diagnostic: Diagnostic } {
  return {
    kind: 'invalid',
    diagnostic: diagnose('invalidSetFlag', { path: [], cause: `--set ${text}: ${cause}`, remedy }),
  };
}

/** Reads all flags; those that cannot be read are told. */
export function parseSetFlags(texts: readonly string[]): {
  readonly flags: readonly SetFlag[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const parsed = texts.map(parseSetFlag);
  return {
    flags: parsed.flatMap((result) => (result.kind === 'set' ? [result.flag] : [])),
    diagnostics: parsed.flatMap((result) => (result.kind === 'invalid' ? [result.diagnostic] : [])),
  };
}
