/** The fields of an object as people name them, with keys that stay the same when a list gets longer. */
import type { JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { FieldPath } from './field-path.ts';
import type { PathStep } from './tree-path.ts';
import { parseTreePath, printTreePath, readAt } from './tree-path.ts';
import { readYaml } from './yaml.ts';

export interface ObjectField {
  /** Equal for the same field of two objects; elements of lists count by name, or by value. */
  readonly key: string;
  /** In the language of overlays: `spec.template.spec.containers.[name:discovery].image`. */
  readonly steps: readonly PathStep[];
  readonly path: FieldPath;
  readonly value: JsonValue;
}

/** What is larger is a template or a script, and no settings. */
const MAX_EMBEDDED_CHARACTERS = 20_000;

/**
 * All leaves of an object. Configuration that a ConfigMap holds as text counts as part of the tree: its lines are what
 * people ask about.
 */
export function fieldsOf(object: K8sObject): readonly ObjectField[] {
  return visit({ key: '', steps: [], path: [], value: treeOf(object) });
}

function visit(field: ObjectField): readonly ObjectField[] {
  const { value, steps, path, key } = field;
  if (isJsonArray(value) && value.length > 0) {
    return value.flatMap((item, index) => {
      const step = stepTo(item, index);
      const itemKey = `${key}${keyOf(item, step)}`;
      return visit({ key: itemKey, steps: [...steps, step], path: [...path, index], value: item });
    });
  }
  if (!isJsonObject(value) || Object.keys(value).length === 0) return [field];
  return Object.entries(value).flatMap(([name, child]) => {
    const step: PathStep = { kind: 'key', key: name };
    return visit({ key: `${key}/${name}`, steps: [...steps, step], path: [...path, name], value: child });
  });
}

function stepTo(item: JsonValue, index: number): PathStep {
  const name = stringAt(item, 'name');
  return name === undefined ? { kind: 'index', index } : { kind: 'entry', key: 'name', value: name };
}

function keyOf(item: JsonValue, step: PathStep): string {
  if (step.kind === 'entry') return `[${step.value}]`;
  return typeof item === 'object' ? printTreePath([step]) : `[=${String(item)}]`;
}

/** The object, with what a ConfigMap holds as text in its place. */
function treeOf(object: K8sObject): JsonValue {
  if (object.kind !== 'ConfigMap') return object;
  const entries = Object.entries(isJsonObject(object['data']) ? object['data'] : {});
  return { ...object, data: Object.fromEntries(entries.map(([name, text]) => [name, embedded(text)])) };
}

function embedded(text: JsonValue): JsonValue {
  if (typeof text !== 'string' || !text.includes(':') || text.length > MAX_EMBEDDED_CHARACTERS) return text;
  try {
    const tree = readYaml(text);
    return isJsonObject(tree) ? tree : text;
  } catch {
    return text;
  }
}

export type FoundFields =
  | { readonly kind: 'found'; readonly fields: readonly ObjectField[] }
  /** `cause` tells what is wrong with the path. */
  | { readonly kind: 'none'; readonly cause: string };

/**
 * The fields at or below a path in the language of overlays; keys may also stand in brackets and quotes, as in
 * `metadata.labels["istio.io/rev"]`.
 */
export function fieldsAt(object: K8sObject, text: string): FoundFields {
  const parsed = parseTreePath(withoutQuotes(text));
  if (parsed.kind === 'invalid') return { kind: 'none', cause: parsed.cause };
  const found = readAt(treeOf(object), parsed.steps);
  if (found === undefined) return { kind: 'none', cause: 'nothing stands there' };
  const fields = fieldsOf(object).filter(({ path }) => found.path.every((step, i) => step === path[i]));
  return { kind: 'found', fields };
}

function withoutQuotes(path: string): string {
  const quoted = /\[(["'])(.*?)\1\]/gu;
  return path.replaceAll(quoted, (_whole, _quote, key: string) => `.${key.replaceAll('.', String.raw`\.`)}`);
}
