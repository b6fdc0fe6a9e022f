/** The manifests of deploy/ as objects, and where the API server keeps them. */
import { readFile } from 'node:fs/promises';
import { loadAll } from 'js-yaml';
import { API_RESOURCES } from '../../scripts/rendered-kinds.ts';
import type { ApiResource } from '../../scripts/rendered-kinds.ts';
import { isK8sObject, namespaceOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { listAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { Api, ApiResponse } from '../control-plane/api.ts';

const DEPLOY = new URL('../../deploy/', import.meta.url);

/** Kinds that are in deploy/, or that tests need, and that the operator does not render. */
const OTHER_RESOURCES: Readonly<Record<string, ApiResource>> = {
  IstioOperator: { group: 'install.istio.io', resource: 'istiooperators', scope: 'namespaced' },
  Namespace: { group: '', resource: 'namespaces', scope: 'cluster' },
  PersistentVolume: { group: '', resource: 'persistentvolumes', scope: 'cluster' },
  Pod: { group: '', resource: 'pods', scope: 'namespaced' },
};

/** Everything that `kubectl apply -k` applies of a folder in deploy/, in the order of its kustomization.yaml. */
export async function deployedObjects(folder = '.'): Promise<readonly K8sObject[]> {
  const [kustomization] = await readDocuments(`${folder}/kustomization.yaml`);
  const files = listAt(kustomization, 'resources').map(String);
  return (await Promise.all(files.map((file) => readObjects(`${folder}/${file}`)))).flat();
}

/** The objects of a file under deploy/. */
export async function readObjects(file: string): Promise<readonly K8sObject[]> {
  return (await readDocuments(file)).map((document) => {
    if (!isK8sObject(document)) throw new Error(`deploy/${file} holds a document that is no object`);
    return document;
  });
}

async function readDocuments(file: string): Promise<readonly JsonValue[]> {
  return loadAll(await readFile(new URL(file, DEPLOY), 'utf8')) as JsonValue[]; // js-yaml loads plain JSON types
}

/** The path of an object below the API server's address. */
export function pathOf(object: K8sObject): string {
  const { apiVersion, kind } = object;
  const resources: Readonly<Record<string, ApiResource>> = { ...API_RESOURCES, ...OTHER_RESOURCES };
  const known = resources[kind];
  if (known === undefined) throw new Error(`the kind ${kind} is not in the table of e2e/deploy/manifests.ts`);
  const namespace = namespaceOf(object);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? root : `${root}/namespaces/${namespace}`;
  return `${place}/${known.resource}/${object.metadata.name}`;
}

/** Server-side apply as the given manager; fields that the API does not know are refused. */
export async function apply(api: Api, object: K8sObject, query = '', manager = 'e2e'): Promise<ApiResponse> {
  const path = `${pathOf(object)}?fieldManager=${manager}&force=true&fieldValidation=Strict${query}`;
  return api.request('PATCH', path, object, 'application/apply-patch+yaml');
}
