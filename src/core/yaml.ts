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

/** Reads one document that holds plain JSON types. Throws what js-yaml throws: the caller knows the source. */
export function readYaml(text: string): JsonValue {
  // The core schema yields strings, numbers, booleans, null, lists and maps: a JsonValue by construction.
  return load(text) as JsonValue;
}

/** Prints as Go's YAML library does: keys in alphabetical order, lists not indented. For texts that Istio reads. */
export function printGoYaml(value: JsonValue): string {
  return dump(value, { lineWidth: -1, noRefs: true, sortKeys: true, seqNoIndent: true });
}
