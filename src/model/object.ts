/** Kubernetes objects as JSON trees, and references to them. */
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';

export interface ObjectMetadata extends JsonObject {
  readonly name: string;
}

/** Any Kubernetes object that names itself. Everything below is read through the path helpers of json.ts. */
export interface K8sObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

/** What a kind is called by the API; two kinds of the same name in different groups are different. */
export interface GroupVersionKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Points to one object. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef extends GroupVersionKind {
  readonly namespace?: string;
  readonly name: string;
}

/** Narrows a parsed document to an object with apiVersion, kind and a name. */
export function isK8sObject(value: unknown): value is K8sObject {
  return (
    isJsonObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isJsonObject(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  );
}

export function refOf(object: K8sObject): ObjectRef {
  const namespace = namespaceOf(object);
  const { apiVersion, kind } = object;
  const name = object.metadata.name;
  return namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, namespace, name };
}

export function namespaceOf(object: K8sObject): string | undefined {
  const namespace = object.metadata['namespace'];
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

/** The API group of an apiVersion; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/**
 * A key that is equal for two references to the same object. The version is left out: the API server serves one
 * object under all versions of its group.
 */
export function identityOf(ref: ObjectRef): string {
  // A template would be a rope, that holds on to each of its parts and to the texts that those were cut from.
  return [groupOf(ref.apiVersion), ref.kind, ref.namespace ?? '', ref.name].join('/');
}

/** How a person reads a reference: `Deployment istio-system/istiod`, `ClusterRole istiod-clusterrole-istio-system`. */
export function displayRef(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
}

/** Labels or annotations as text; entries that are not strings are left out. */
export function stringMap(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

export function labelsOf(object: K8sObject): Readonly<Record<string, string>> {
  return stringMap(object.metadata['labels']);
}

export function annotationsOf(object: K8sObject): Readonly<Record<string, string>> {
  return stringMap(object.metadata['annotations']);
}

export function uidOf(object: K8sObject): string | undefined {
  const uid = object.metadata['uid'];
  return typeof uid === 'string' ? uid : undefined;
}
