/** Reading Kubernetes objects of any kind as people keep them: streams of YAML or JSON, and lists. */
import {
  boolYaml11Tag,
  CORE_SCHEMA,
  intYaml11Tag,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  YAMLException,
} from 'js-yaml';
import type { Diagnostic, Position } from '../model/diagnostic.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject, listAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { isK8sObject } from '../model/object.ts';
import { diagnose } from './diagnostics.ts';

export type ReadManifests =
  | { readonly kind: 'read'; readonly objects: readonly K8sObject[] }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

/**
 * What kubectl takes a plain word for: `yes` and `off` are booleans and `0644` is octal, but `y` and `12:30` are texts,
 * and dates stay texts.
 */
const KUBECTL_SCHEMA = CORE_SCHEMA.withTags(
  {
    ...boolYaml11Tag,
    resolve: (source, isExplicit, tag) =>
      /^[yn]$/iu.test(source) ? NOT_RESOLVED : boolYaml11Tag.resolve(source, isExplicit, tag),
  },
  {
    ...intYaml11Tag,
    resolve: (source, isExplicit, tag) =>
      source.includes(':') ? NOT_RESOLVED : intYaml11Tag.resolve(source, isExplicit, tag),
  },
  mergeTag,
);

/** Reads all objects of a file in their order. Lists are taken apart, empty documents skipped. */
export function readManifests(text: string, file: string): ReadManifests {
  const documents = parsed(text, file);
  if ('code' in documents) return { kind: 'invalid', diagnostics: [documents] };
  const items = documents.filter((document) => document !== null && document !== undefined).flatMap(itemsOf);
  const strangers = items.filter((item) => !isK8sObject(item));
  if (strangers.length === 0) return { kind: 'read', objects: items.filter(isK8sObject) };
  return { kind: 'invalid', diagnostics: [notAnObject(file, strangers.length)] };
}

function parsed(text: string, file: string): readonly unknown[] | Diagnostic {
  try {
    return loadAll(text, { schema: KUBECTL_SCHEMA });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return diagnose('invalidYaml', {
      path: [],
      position: positionOf(error, file),
      cause: error.reason,
      remedy: 'Correct the file at this place.',
    });
  }
}

function positionOf({ mark }: YAMLException, file: string): Position {
  return { file, line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 };
}

/** The members of a list, or the document itself. */
function itemsOf(document: unknown): readonly unknown[] {
  return isList(document) ? listAt(document, 'items').flatMap(itemsOf) : [document];
}

function isList(document: unknown): document is JsonObject {
  if (!isJsonObject(document) || !Array.isArray(document['items'])) return false;
  const { kind } = document;
  return typeof kind === 'string' && kind.endsWith('List');
}

function notAnObject(file: string, count: number): Diagnostic {
  return diagnose('notAnObject', {
    path: [],
    position: { file, line: 1, column: 1 },
    cause: `${count === 1 ? 'a document is' : `${count} documents are`} no Kubernetes object`,
    remedy: 'Each document needs apiVersion, kind and metadata.name.',
  });
}
