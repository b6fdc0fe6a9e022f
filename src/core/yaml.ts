/**
 * YAML of our own making: printing what others will read, and reading back what our templates rendered. User's files
 * are read by spec/documents.ts, which knows lines and columns; js-yaml is seven times faster and knows neither.
 */
import { dump, load } from 'js-yaml';
import type { JsonValue } from '../model/json.ts';

/** Prints a tree so that readers of YAML 1.1 (kubectl, istiod) see the same types: "yes", "0777" stay strings. */
export function printYaml(value: JsonValue): string {
  return dump(value, { lineWidth: -1, noRefs: true });
}

const MAX_ALIASES = 100;
/** Of what aliases stand for, all written out. */
const MAX_VALUES = 100_000;

/**
 * Reads one document that holds plain JSON types. Throws what js-yaml throws, and an Error for aliases that stand for
 * more than anybody writes: the caller knows the source.
 */
export function readYaml(text: string): JsonValue {
  // The core schema yields strings, numbers, booleans, null, lists and maps: a JsonValue by construction.
  const value = load(text, { maxAliases: MAX_ALIASES }) as JsonValue;
  // What an alias names is there once; whoever walks or prints the tree meets it each time.
  if (text.includes('*') && valuesIn(value, new Map()) > MAX_VALUES)
    throw new Error(`its aliases stand for more than ${MAX_VALUES} values`);
  return value;
}

/** How many values a tree has, those that stand in several places counted in each. js-yaml bounds the depth. */
function valuesIn(value: JsonValue, known: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) return 1;
  const before = known.get(value);
  if (before !== undefined) return before;
  let count = 1;
  for (const inner of Object.values(value)) count += valuesIn(inner, known);
  known.set(value, count);
  return count;
}

/** Prints as Go's YAML library does: keys in alphabetical order, lists not indented. For texts that Istio reads. */
export function printGoYaml(value: JsonValue): string {
  return dump(value, { lineWidth: -1, noRefs: true, sortKeys: true, seqNoIndent: true });
}
