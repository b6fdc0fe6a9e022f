/** Builds the paths of the API from kinds and names. Names keep their case: those of roles may hold capitals. */
import { ClusterError } from '../model/cluster-error.ts';
import type { GroupVersionKind, ObjectRef } from '../model/object.ts';
import { displayRef, groupOf } from '../model/object.ts';

/** What discovery tells about a kind. */
export interface ResourceMapping extends GroupVersionKind {
  /** The name in paths, such as `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** `/apis/apps/v1` or `/api/v1`. */
export function groupVersionPath(apiVersion: string): string {
  const segments = apiVersion.split('/').map(encodeURIComponent).join('/');
  return apiVersion.includes('/') ? `/apis/${segments}` : `/api/${segments}`;
}

/** The collection of a kind in one namespace, or in all of them (also for cluster-scoped kinds). */
export function collectionPath(mapping: ResourceMapping, namespace?: string): string {
  const scope = namespace === undefined ? '' : `/namespaces/${segment(namespace, 'namespace')}`;
  if (namespace !== undefined && !mapping.namespaced) {
    throw new ClusterError(`${mapping.kind} has no namespace`, { kind: 'invalid', verb: 'address' });
  }
  return `${groupVersionPath(mapping.apiVersion)}${scope}/${mapping.plural}`;
}

/**
 * One object. An object without the namespace that its kind needs, or with one that its kind cannot have, is refused
 * as `invalid` rather than put somewhere.
 */
export function objectPath(mapping: ResourceMapping, ref: ObjectRef, subresource?: 'status'): string {
  if (mapping.namespaced !== (ref.namespace !== undefined)) {
    const fault = mapping.namespaced ? 'needs a namespace' : 'cannot have a namespace';
    throw new ClusterError(`${displayRef(ref)} ${fault}`, { kind: 'invalid', verb: 'address', ref });
  }
  const path = `${collectionPath(mapping, ref.namespace)}/${segment(ref.name, 'name', ref)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** The name of the definition of a kind, such as `gateways.networking.istio.io`; no definition is of a built-in kind. */
export function definitionNameOf({ plural, apiVersion }: ResourceMapping): string {
  return `${plural}.${groupOf(apiVersion)}`;
}

/** The API group of the kind that a definition is of, from the definition's name. */
export function groupOfDefinition(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

/** Dots alone would be resolved as folders by proxies, and a slash would lead to another resource. */
function segment(text: string, what: string, ref?: ObjectRef): string {
  if (text === '' || text === '.' || text === '..' || /[/%]/.test(text)) {
    const details = { kind: 'invalid', verb: 'address', ...(ref === undefined ? {} : { ref }) } as const;
    throw new ClusterError(`${JSON.stringify(text)} cannot be the ${what} of an object`, details);
  }
  return encodeURIComponent(text);
}
