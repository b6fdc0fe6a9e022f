/** JSON merge patches (RFC 7386). Pure. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonObject, jsonEqual } from '../model/json.ts';

/**
 * The merge patch that turns one map into another, or undefined when they are equal. Lists are replaced as a whole,
 * and null removes a key; so the target itself must not hold nulls.
 */
export function mergePatchBetween(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const removed = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  const changed = Object.entries(to).flatMap(([key, wanted]): [string, JsonValue][] => {
    const change = changeOf(Object.hasOwn(from, key) ? from[key] : undefined, wanted);
    return change === undefined ? [] : [[key, change]];
  });
  const entries = [...removed.map((key): [string, JsonValue] => [key, null]), ...changed];
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function changeOf(present: JsonValue | undefined, wanted: JsonValue): JsonValue | undefined {
  if (isJsonObject(present) && isJsonObject(wanted)) return mergePatchBetween(present, wanted);
  return jsonEqual(present, wanted) ? undefined : wanted;
}
