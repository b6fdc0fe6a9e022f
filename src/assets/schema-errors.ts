/** What Ajv's functions report, in our terms. Free of Ajv itself: the bundle carries only compiled functions. */
import type { SchemaError, Validate } from '../model/assets.ts';
import { isJsonArray } from '../model/json.ts';
import type { JsonValue } from '../model/json.ts';

/** The part of an Ajv error that we use. `instancePath` is a JSON pointer. */
export interface CompiledError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** A function as Ajv compiles it: it leaves the errors of its last call in a property of itself. */
export interface CompiledCheck {
  (value: unknown): boolean;
  errors?: readonly CompiledError[] | null;
}

/** Wraps a compiled function as one that returns its errors. */
export function validateWith(check: CompiledCheck): Validate {
  return (value) => (check(value) ? [] : (check.errors ?? []).map((error) => schemaError(error, value)));
}

function schemaError(error: CompiledError, value: unknown): SchemaError {
  const { keyword, params, message = `fails "${keyword}"` } = error;
  return { path: stepsOf(error.instancePath, value), keyword, params, message };
}

/** A pointer does not tell list indexes from keys such as "0"; the value does. */
function stepsOf(pointer: string, value: unknown): readonly (string | number)[] {
  let current = value as JsonValue | undefined; // what was checked came from JSON or YAML
  return pointer
    .split('/')
    .slice(1)
    .map((token) => {
      const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = isJsonArray(current) ? Number(key) : key;
      current = (current as Readonly<Record<string | number, JsonValue>> | undefined)?.[step];
      return step;
    });
}
