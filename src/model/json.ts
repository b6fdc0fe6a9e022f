/** JSON trees as plain data, and the few guards that everybody needs to read them. */

export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Tells whether a value is a map: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells whether a value is a list. Unlike `Array.isArray` it narrows a JsonValue to a readonly list. */
export function isJsonArray(value: unknown): value is JsonArray {
  return Array.isArray(value);
}

/**
 * Reads the value at a path of map keys and list indexes; undefined when any step is missing.
 * Inherited properties (`toString`, `__proto__`) are never found.
 */
export function at(
  value: JsonValue | undefined,
  ...path: readonly (string | number)[]
): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const step of path) {
    if (isJsonArray(current) && typeof step === 'number') current = current[step];
    else if (isJsonObject(current) && Object.hasOwn(current, step)) current = current[step];
    else return undefined;
  }
  return current;
}

/** The map at a path, or an empty map when there is none or something else stands there. */
export function mapAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonObject {
  const found = at(value, ...path);
  return isJsonObject(found) ? found : {};
}

/** The list at a path, or an empty list when there is none or something else stands there. */
export function listAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonArray {
  const found = at(value, ...path);
  return isJsonArray(found) ? found : [];
}

/** The string at a path, or undefined when there is none or something else stands there. */
export function stringAt(
  value: JsonValue | undefined,
  ...path: readonly (string | number)[]
): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The number at a path, or undefined when there is none or something else stands there. */
export function numberAt(
  value: JsonValue | undefined,
  ...path: readonly (string | number)[]
): number | undefined {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

/** Equality of JSON trees; the order of map keys does not matter. */
export function jsonEqual(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true;
  if (isJsonArray(left)) {
    return (
      isJsonArray(right) && left.length === right.length && left.every((item, i) => jsonEqual(item, right[i]))
    );
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]))
  );
}

/** For the default branch of a switch over a union: a new member makes the call fail to compile. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
