/** Checks a tree against a schema of ours and tells each breach in a user's terms. */
import type { SchemaError, Validate } from '../../model/assets.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonArray, isJsonObject } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { nearest } from '../nearest.ts';

export interface SchemaCheck {
  readonly validate: Validate;
  /** For hints; may be more lenient than what `validate` checks. */
  readonly schema: JsonObject;
  /** Where the tree stands in the document. */
  readonly root: FieldPath;
  /** What helps besides correcting an unknown field; a sentence. */
  readonly wayOut?: string;
}

/** One diagnostic for each place: a value that fits none of several schemas is told once. */
export function checkSchema(tree: JsonValue, check: SchemaCheck): readonly Diagnostic[] {
  const errors = check.validate(tree);
  const branches = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  const inBranch = (error: SchemaError): boolean =>
    branches.some((branch) => branch !== error && startsWith(error.path, branch.path));
  return errors.filter((error) => !inBranch(error)).map((error) => toDiagnostic(tree, error, check));
}

function startsWith(path: FieldPath, prefix: FieldPath): boolean {
  return prefix.every((step, index) => path[index] === step);
}

function toDiagnostic(tree: JsonValue, error: SchemaError, check: SchemaCheck): Diagnostic {
  if (error.keyword === 'additionalProperties') return unknownField(error, check);
  const value = at(tree, ...error.path);
  const shown = isPrivate(error.path) ? 'the value' : describe(value);
  const cause = error.keyword === 'type' ? `${shown} is ${kindOf(value)}` : `${shown} ${error.message}`;
  return diagnose('wrongType', { path: [...check.root, ...error.path], cause, remedy: remedyFor(error) });
}

/** Diagnostics go into logs, events and terminals, which more people read than the specification. */
function isPrivate(path: FieldPath): boolean {
  return path.includes('env');
}

function kindOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (isJsonArray(value)) return 'a list';
  return KIND_NAMES[typeof value] ?? 'something else';
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'a boolean',
  object: 'a map',
};

function unknownField(error: SchemaError, { schema, root, wayOut }: SchemaCheck): Diagnostic {
  const field = String(error.params['additionalProperty']);
  const known = fieldsOf(schemaAt(schema, error.path) ?? {});
  const close = nearest(field, known);
  const hint = close === undefined ? knownFields(known) : `Did you mean "${close}"?`;
  return diagnose('unknownField', {
    path: [...root, ...error.path, field],
    cause: `there is no field "${field}"`,
    remedy: wayOut === undefined ? hint : `${hint} ${wayOut}`,
  });
}

const MOST_FIELDS_TO_LIST = 12;

function knownFields(known: readonly string[]): string {
  if (known.length === 0) return 'Remove it.';
  const listed = known.slice(0, MOST_FIELDS_TO_LIST).join(', ');
  return `Remove it, or use one of ${listed}${known.length > MOST_FIELDS_TO_LIST ? ', …' : ''}.`;
}

function describe(value: JsonValue | undefined): string {
  if (value === undefined) return 'the value';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function remedyFor(error: SchemaError): string {
  const { type, allowedValues } = error.params;
  if (Array.isArray(allowedValues))
    return `Use one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}.`;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  const names = types.map((name) => TYPE_NAMES[String(name)]).filter((name) => name !== undefined);
  return names.length === 0 ? 'Correct the value.' : `Write ${names.join(' or ')}.`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a map (name: value)',
  array: 'a list (- item)',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function fieldsOf(schema: JsonObject): readonly string[] {
  const properties = schema['properties'];
  return isJsonObject(properties) ? Object.keys(properties).toSorted() : [];
}

/** The schema that applies at a path, as far as the schema says. */
function schemaAt(root: JsonObject, path: FieldPath): JsonObject | undefined {
  return path.reduce<JsonObject | undefined>(
    (schema, step) => {
      if (schema === undefined) return undefined;
      const next = typeof step === 'number' ? schema['items'] : fieldSchema(schema, step);
      return isJsonObject(next) ? resolved(root, next) : undefined;
    },
    resolved(root, root),
  );
}

function fieldSchema(schema: JsonObject, field: string): JsonValue | undefined {
  return at(schema, 'properties', field) ?? schema['additionalProperties'];
}

function resolved(root: JsonObject, schema: JsonObject): JsonObject {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  const target = at(root, ...reference.replace(/^#\//u, '').split('/'));
  return isJsonObject(target) ? resolved(root, target) : schema;
}
