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
    // For every key that both have: by itself, deepmerge would concatenate lists.
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

/** Recognises two entries of lists as the same thing. */
export type SameEntry = (lower: JsonObject, upper: JsonObject) => boolean;

/**
 * Merges two lists of maps: entries that a rule recognises merge in place, others are appended in order. Stronger rules
 * come first: an entry that one of them recognises is never taken by a weaker one.
 */
export function mergeEntries(lower: JsonArray, upper: JsonArray, rules: readonly SameEntry[]): JsonArray {
  const partners = partnersOf(lower, upper, rules);
  const result: JsonValue[] = [...lower];
  for (const [position, entry] of upper.entries()) {
    const partner = partners.get(position);
    if (partner === undefined) result.push(entry);
    else result[partner] = mergePlain(lower[partner] ?? null, entry);
  }
  return result;
}

/** Positions in `lower` by the positions in `upper` of what merges with them. */
function partnersOf(
  lower: JsonArray,
  upper: JsonArray,
  rules: readonly SameEntry[],
): ReadonlyMap<number, number> {
  const partners = new Map<number, number>();
  const taken = new Set<number>();
  for (const isSame of rules) {
    for (const [position, entry] of upper.entries()) {
      const found = partners.has(position)
        ? -1
        : lower.findIndex((candidate, i) => !taken.has(i) && bothMaps(candidate, entry, isSame));
      if (found === -1) continue;
      partners.set(position, found);
      taken.add(found);
    }
  }
  return partners;
}

function bothMaps(lower: JsonValue, upper: JsonValue, isSame: SameEntry): boolean {
  return isJsonObject(lower) && isJsonObject(upper) && isSame(lower, upper);
}

/** For `special`: two lists merge entry by entry, anything else replaces. */
export function byEntry(...rules: readonly SameEntry[]): MergeValue {
  return (lower, upper) => {
    if (isJsonArray(lower) && isJsonArray(upper)) return mergeEntries(lower, upper, rules);
    return upper;
  };
}

/**
 * Tells whether a map may have this key. deepmerge drops names that every object inherits, such as `toString` and
 * `__proto__`; whoever takes in trees from outside refuses them, so that nothing is lost in silence.
 */
export function isMergeableKey(key: string): boolean {
  return !(key in Object.prototype);
}
