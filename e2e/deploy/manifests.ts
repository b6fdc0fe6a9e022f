/** The manifests of deploy/ as objects, and where the API server keeps them. */
import { readFile } from 'node:fs/promises';
import { loadAll } from 'js-yaml';
import { API_RESOURCES } from '../../scripts/rendered-kinds.ts';
import type { ApiResource } from '../../scripts/rendered-kinds.ts';
import { displayRef, isK8sObject, namespaceOf, refOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { listAt, stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { Api, ApiResponse } from '../control-plane/api.ts';

const DEPLOY = new URL('../../deploy/', import.meta.url);

/** Kinds that are in deploy/ and that the operator does not render. */
const OTHER_RESOURCES: Readonly<Record<string, ApiResource>> = {
  IstioOperator: { group: 'install.istio.io', resource: 'istiooperators', scope: 'namespaced' },
  Namespace: { group: '', resource: 'namespaces', scope: 'cluster' },
  PersistentVolume: { group: '', resource: 'persistentvolumes', scope: 'cluster' },
  Pod: { group: '', resource: 'pods', scope: 'namespaced' },
};

/** Everything that `kubectl apply -k` applies of a folder in deploy/, in the order of its kustomization.yaml. */
export async function deployedObjects(folder = '.'): Promise<readonly K8sObject[]> {
  const [kustomization] = documentsIn(await readText(`${folder}/kustomization.yaml`));
  const files = listAt(kustomization, 'resources').map(String);
  return (await Promise.all(files.map((file) => readObjects(`${folder}/${file}`)))).flat();
}

/** The objects of a file under deploy/. */
export async function readObjects(file: string): Promise<readonly K8sObject[]> {
  return parseObjects(await readText(file), `deploy/${file}`);
}

/** The objects of a text in YAML; `source` is for the error. */
export function parseObjects(text: string, source: string): readonly K8sObject[] {
  return documentsIn(text).map((document) => {
    if (!isK8sObject(document)) throw new Error(`${source} holds a document that is no object`);
    return document;
  });
}

async function readText(file: string): Promise<string> {
  return readFile(new URL(file, DEPLOY), 'utf8');
}

function documentsIn(text: string): readonly JsonValue[] {
  return loadAll(text) as JsonValue[]; // js-yaml loads plain JSON types
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

/** As `apply`; throws unless the object was stored. */
export async function accept(api: Api, object: K8sObject, manager = 'e2e'): Promise<void> {
  const { status, body } = await apply(api, object, '', manager);
  if (status === 200 || status === 201) return;
  throw new Error(`${displayRef(refOf(object))}: ${status} ${stringAt(body, 'message') ?? ''}`);
}
