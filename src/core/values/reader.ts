/** Reading a component's values: every path may be absent or of another type, because users' values are free. */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { at, listAt, mapAt } from '../../model/json.ts';
import { firstTruthy, textOf, truthy } from '../go-values.ts';

export interface ValuesReader {
  readonly tree: JsonObject;
  /** The value as it is; null when absent. */
  any(...path: readonly string[]): JsonValue;
  /** Helm's truth: absent, null, false, 0 and empty things are false. */
  is(...path: readonly string[]): boolean;
  /** The value as text; empty when absent. */
  text(...path: readonly string[]): string;
  map(...path: readonly string[]): JsonObject;
  list(...path: readonly string[]): JsonArray;
  /** The value when it is truthy, else null: for fields that are left out when empty. */
  whenSet(...path: readonly string[]): JsonValue;
}

export function readValues(tree: JsonObject): ValuesReader {
  return {
    tree,
    any: (...path) => at(tree, ...path) ?? null,
    is: (...path) => truthy(at(tree, ...path)),
    text: (...path) => textOf(at(tree, ...path)),
    map: (...path) => mapAt(tree, ...path),
    list: (...path) => listAt(tree, ...path),
    whenSet: (...path) => firstTruthy(at(tree, ...path)) ?? null,
  };
}

/** A value as the API server shall see it when Helm would print it without quotes: `"2"` becomes the number 2. */
export function unquoted(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(value)) return Number(value);
  if (value === 'true' || value === 'false') return value === 'true';
  return value;
}

/** The value unless it is an empty map, an empty list, or falsy in another way; then null. */
export function orNull(value: JsonValue): JsonValue {
  return truthy(value) ? value : null;
}

/** Names of pull secrets as references; null when there are none. */
export function pullSecrets(names: JsonArray): JsonValue {
  return orNull(names.map((name) => ({ name })));
}
