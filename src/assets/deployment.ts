/** The operator's own installation, as `kubectl apply -k deploy` would make it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { listAt, stringAt } from '../model/json.ts';
import type { JsonValue } from '../model/json.ts';
import { isK8sObject } from '../model/object.ts';
import type { K8sObject } from '../model/object.ts';
import { AssetError } from './asset-files.ts';

const FOLDER = 'deploy';

/** The objects of deploy/kustomization.yaml in its order, with its image tags. Of kustomize's features, just these two. */
export async function readDeployment(root: string): Promise<readonly K8sObject[]> {
  const kustomization = (await documents(root, 'kustomization.yaml', (text) => [load(text)]))[0];
  const resources = listAt(kustomization, 'resources').filter((name) => typeof name === 'string');
  const read = await Promise.all(resources.map((name) => documents(root, name, (text) => loadAll(text))));
  const objects = read.flat().map(objectOf);
  return listAt(kustomization, 'images').reduce<readonly K8sObject[]>(withImage, objects);
}

/** The objects of deploy/revision/rbac.yaml. */
export async function readRevisionRights(root: string): Promise<readonly K8sObject[]> {
  return (await documents(root, 'revision/rbac.yaml', (text) => loadAll(text))).map(objectOf);
}

function objectOf(document: JsonValue): K8sObject {
  if (isK8sObject(document)) return document;
  throw new AssetError(FOLDER, 'holds a document that is no Kubernetes object');
}

async function documents(
  root: string,
  name: string,
  parse: (text: string) => readonly unknown[],
): Promise<readonly JsonValue[]> {
  const path = join(FOLDER, name);
  const text = await readFile(join(root, path), 'utf8').catch((cause: unknown) => {
    throw new AssetError(path, 'cannot be read', cause);
  });
  // Plain YAML of our own: maps, lists and scalars.
  return parse(text) as readonly JsonValue[];
}

function withImage(objects: readonly K8sObject[], image: JsonValue): readonly K8sObject[] {
  const name = stringAt(image, 'name') ?? '';
  const reference = `${stringAt(image, 'newName') ?? name}:${stringAt(image, 'newTag') ?? 'latest'}`;
  return objects.map((object) =>
    object.kind === 'Deployment'
      ? (JSON.parse(JSON.stringify(object), (key, value: unknown) =>
          key === 'image' && value === name ? reference : value,
        ) as K8sObject)
      : object,
  );
}
