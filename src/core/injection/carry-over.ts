/**
 * Tells what injection did to a pod apart from what the API server did. Both answer a dry run together; a second dry
 * run with injection off shows the server's part alone. What differs between the two is carried over to the pod as its
 * author wrote it, so that no default of the server ends up in the author's file.
 */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonArray, isJsonObject, jsonEqual } from '../../model/json.ts';

export interface Versions {
  /** As the author wrote it. */
  readonly given: JsonValue | undefined;
  /** As the server makes it without the change that is looked for. */
  readonly before: JsonValue | undefined;
  /** As the server makes it with the change. */
  readonly after: JsonValue | undefined;
}

/**
 * `given` with every change from `before` to `after` made to it. Lists whose elements have names (or paths, or ports)
 * are carried over element by element, other lists as a whole. Undefined when nothing is left.
 */
export function carryOver({ given, before, after }: Versions): JsonValue | undefined {
  if (jsonEqual(before, after)) return given;
  if (isJsonObject(after) && (isJsonObject(before) || isJsonObject(given))) {
    return carryOverMap(asMap(given), asMap(before), after);
  }
  if (isJsonArray(after)) return carryOverList(asList(given), asList(before), after);
  return after;
}

function asMap(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function asList(value: JsonValue | undefined): JsonArray {
  return isJsonArray(value) ? value : [];
}

function carryOverMap(given: JsonObject, before: JsonObject, after: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(given), ...Object.keys(after)]);
  const entries = [...keys].flatMap((key) => {
    const value = carryOver({ given: at(given, key), before: at(before, key), after: at(after, key) });
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

function carryOverList(given: JsonArray, before: JsonArray, after: JsonArray): JsonArray {
  const key = keyOf([given, before, after]);
  if (key === undefined) return after;
  const givenByKey = byKey(given, key);
  const beforeByKey = byKey(before, key);
  return after.flatMap((element) => {
    const name = at(element, key);
    const value = carryOver({ given: givenByKey.get(name), before: beforeByKey.get(name), after: element });
    return value === undefined ? [] : [value];
  });
}

/** Preferred first: mounts have both a name and a path, and ports a number and perhaps a name. */
const KEYS = ['mountPath', 'devicePath', 'containerPort', 'name'] as const;

/** The key that tells the elements of all lists apart. */
function keyOf(lists: readonly JsonArray[]): string | undefined {
  return KEYS.find((key) =>
    lists.every((list) => list.length === byKey(list, key).size && hasKey(list, key)),
  );
}

function hasKey(list: JsonArray, key: string): boolean {
  return list.every((element) => isJsonObject(element) && Object.hasOwn(element, key));
}

function byKey(list: JsonArray, key: string): ReadonlyMap<JsonValue | undefined, JsonValue> {
  return new Map(list.map((element) => [at(element, key), element]));
}
