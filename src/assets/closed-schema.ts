/** Turns the schema of our CustomResourceDefinition into the stricter JSON schema that the operator checks. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';

/** Schemas that stand in several places, with the names under which the result defines them once. */
type SharedSchemas = ReadonlyMap<JsonObject, string>;

/** Keywords that check nothing, or that are expressed in another way below. */
const DROPPED = new Set(['default', 'description', 'example', 'externalDocs', 'format', 'nullable', 'title']);

/**
 * The JSON schema for a structural OpenAPI v3 schema. The definition in the cluster preserves unknown fields, so that
 * a misspelt one reaches the operator instead of vanishing; here an object with `properties` accepts no others, and
 * one without is free-form. `nullable` and `x-kubernetes-int-or-string` become lists of types. A schema to which
 * several places refer (a YAML alias) is defined once, which makes the compiled validator several times smaller.
 */
export function closedSchema(schema: JsonObject): JsonObject {
  const shared = sharedSchemas(schema);
  const definitions = [...shared].map(([definition, name]) => [name, closed(definition, shared)] as const);
  return { ...closed(schema, shared), $defs: Object.fromEntries(definitions) };
}

function closed(schema: JsonObject, shared: SharedSchemas): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (DROPPED.has(keyword) || keyword.startsWith('x-')) continue;
    result[keyword] = closedKeyword(keyword, value, shared);
  }
  if (schema['x-kubernetes-int-or-string'] === true) {
    result['type'] = ['integer', 'string'];
    delete result['anyOf']; // the customary companion of int-or-string, which would refuse null
  }
  if (isJsonObject(schema['properties']) && schema['additionalProperties'] === undefined) {
    result['additionalProperties'] = false;
  }
  return schema['nullable'] === true ? acceptNull(result) : result;
}

/** Only the keywords whose schemas may have a type are followed: the others merely add conditions to it. */
function closedKeyword(keyword: string, value: JsonValue, shared: SharedSchemas): JsonValue {
  if (!isJsonObject(value)) return value;
  if (keyword === 'items' || keyword === 'additionalProperties') return reference(value, shared);
  if (keyword !== 'properties') return value;
  const result: Record<string, JsonValue> = {};
  for (const [name, schema] of Object.entries(value)) {
    result[name] = isJsonObject(schema) ? reference(schema, shared) : schema;
  }
  return result;
}

function reference(schema: JsonObject, shared: SharedSchemas): JsonObject {
  const name = shared.get(schema);
  return name === undefined ? closed(schema, shared) : { $ref: `#/$defs/${name}` };
}

function sharedSchemas(root: JsonObject): SharedSchemas {
  const seen = new Set<JsonObject>();
  const shared = new Map<JsonObject, string>();
  const visit = (schema: JsonObject): void => {
    if (!seen.has(schema)) {
      seen.add(schema);
      for (const subschema of subschemasOf(schema)) visit(subschema);
    } else if (isJsonObject(schema['properties']) && !shared.has(schema)) {
      shared.set(schema, `shared${shared.size}`);
    }
  };
  visit(root);
  return shared;
}

function subschemasOf({ properties, items, additionalProperties }: JsonObject): readonly JsonObject[] {
  const named = isJsonObject(properties) ? Object.values(properties) : [];
  return [...named, items, additionalProperties].filter(isJsonObject);
}

function acceptNull(schema: JsonObject): JsonObject {
  const { type, enum: allowed } = schema;
  return {
    ...schema,
    ...(type === undefined ? {} : { type: withNull(isJsonArray(type) ? type : [type], 'null') }),
    ...(isJsonArray(allowed) ? { enum: withNull(allowed, null) } : {}),
  };
}

function withNull(list: readonly JsonValue[], nothing: JsonValue): readonly JsonValue[] {
  return list.includes(nothing) ? list : [...list, nothing];
}
