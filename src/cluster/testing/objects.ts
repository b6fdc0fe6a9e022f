import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';

export interface MapOptions {
  readonly uid?: string;
  readonly labels?: JsonObject;
  readonly namespace?: string;
}

/** A ConfigMap in namespace `n` at a resourceVersion; its uid is `uid-NAME` unless given. */
export function configMap(name: string, resourceVersion: number, options: MapOptions = {}): K8sObject {
  const { uid = `uid-${name}`, labels = {}, namespace = 'n' } = options;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, uid, labels, resourceVersion: String(resourceVersion) },
  };
}

export const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/** The answer to a list. */
export function listOf(objects: readonly K8sObject[], resourceVersion: number, next = ''): JsonObject {
  const metadata = { resourceVersion: String(resourceVersion), ...(next === '' ? {} : { continue: next }) };
  // As the API server does, items of built-in kinds do not repeat kind and apiVersion.
  const items = objects.map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item);
  return { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items };
}

/** The answer to discovery of `v1`. */
export const CORE_RESOURCES: JsonObject = {
  kind: 'APIResourceList',
  resources: [
    { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
    { name: 'namespaces', kind: 'Namespace', namespaced: false },
    { name: 'namespaces/status', kind: 'Namespace', namespaced: false },
  ],
};
