/** The one place where trees are merged; the only caller of deepmerge. */
import deepmerge from 'deepmerge';
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';

/** Merges the values of one key; given for keys whose lists are not simply replaced. */
export type MergeValue = (lower: JsonValue, upper: JsonValue) => JsonValue;

/**
 * Lays `upper` over `lower`: maps merge by key; everything else, lists and null included, replaces. Neither argument
 * is changed. `special` names keys at the top level that merge in their own way.
 */
export function overlay(
  lower: JsonObject,
  upper: JsonObject,
  special: Readonly<Record<string, MergeValue>> = {},
): JsonObject {
  return deepmerge<JsonObject>(lower, upper, {
    arrayMerge: replaceList,
    customMerge: (key) => (Object.hasOwn(special, key) ? special[key] : mergePlain),
  });
}

/** Lays several trees over each other, weakest first. */
export function overlayAll(layers: readonly JsonObject[]): JsonObject {
  return layers.reduce((lower, upper) => overlay(lower, upper), {});
}

function mergePlain(lower: JsonValue, upper: JsonValue): JsonValue {
  return isJsonObject(lower) && isJsonObject(upper) ? overlay(lower, upper) : upper;
}

// deepmerge would concatenate; a list that a user writes is the list that the user gets.
function replaceList(_lower: unknown[], upper: unknown[]): unknown[] {
  return upper;
}

/** Merges two lists of maps: entries that `sameEntry` recognises merge in place, others are appended in order. */
export function mergeEntries(
  lower: JsonArray,
  upper: JsonArray,
  sameEntry: (lower: JsonObject, upper: JsonObject) => boolean,
): JsonArray {
  const result: JsonValue[] = [...lower];
  const taken = new Set<number>();
  for (const entry of upper) {
    const index = lower.findIndex(
      (candidate, i) =>
        !taken.has(i) && isJsonObject(candidate) && isJsonObject(entry) && sameEntry(candidate, entry),
    );
    if (index === -1) result.push(entry);
    else {
      taken.add(index);
      result[index] = mergePlain(lower[index] ?? null, entry);
    }
  }
  return result;
}

/** For `special`: two lists merge entry by entry, anything else replaces. */
export function byEntry(sameEntry: (lower: JsonObject, upper: JsonObject) => boolean): MergeValue {
  return (lower, upper) => {
    if (isJsonArray(lower) && isJsonArray(upper)) return mergeEntries(lower, upper, sameEntry);
    return upper;
  };
}
