/** The few rules by which Helm charts read values; users' files rely on them. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';

/** False for absent, null, false, 0, "", empty lists and empty maps; true for everything else. */
export function truthy(value: JsonValue | undefined): boolean {
  if (isJsonArray(value)) return value.length > 0;
  if (isJsonObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** The first truthy value, or undefined. */
export function firstTruthy(...values: readonly (JsonValue | undefined)[]): JsonValue | undefined {
  return values.find(truthy);
}

/** A value as it reads inside a string: null is empty, numbers are in shortest form, trees are JSON. */
export function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** Every value of a map as text, keys sorted. */
export function textMap(map: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(sortedEntries(map).map(([key, value]) => [key, textOf(value)]));
}

/** Entries in bytewise key order, the order in which Go templates range over a map. */
export function sortedEntries(map: JsonObject): readonly (readonly [string, JsonValue])[] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The same tree with the entries of every map in sorted order, so that what is printed does not tell how it was written. */
export function withSortedKeys(value: JsonObject): JsonObject;
export function withSortedKeys(value: JsonValue): JsonValue;
export function withSortedKeys(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map((item) => withSortedKeys(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(sortedEntries(value).map(([key, entry]) => [key, withSortedKeys(entry)]));
}
