/** Generates the files of the Helm chart that nobody edits: copies of the objects in the kustomize base. */
import { readFile } from 'node:fs/promises';
import * as deployedCrd from './deployed-crd.ts';
import * as rbac from './rbac.ts';

export const name = 'the Helm chart';

const FOLDER = 'deploy/chart/files';
/** In deploy/namespaces.yaml the operator's own namespace comes first, which in a chart is Helm's matter. */
const CONTROL_PLANE_NAMESPACE = 1;

export async function generate(): Promise<ReadonlyMap<string, string>> {
  // The base's generated files may be stale while this runs, so their generators are asked.
  const [rights, definition] = await Promise.all([rbac.generate(), deployedCrd.generate()]);
  const namespaces = (await readBase('namespaces.yaml')).split('\n---\n');
  const files = {
    'rbac.yaml': rights.get('deploy/rbac.yaml'),
    'rbac-revision.yaml': rights.get('deploy/revision/rbac.yaml'),
    'crd.yaml': definition.get('deploy/crd.yaml'),
    'admission.yaml': await readBase('admission.yaml'),
    'control-plane-namespace.yaml': namespaces[CONTROL_PLANE_NAMESPACE],
  };
  return new Map(
    Object.entries(files).map(([file, text]) => {
      if (text === undefined) throw new Error(`the kustomize base has nothing for ${file}`);
      return [`${FOLDER}/${file}`, text];
    }),
  );
}

async function readBase(file: string): Promise<string> {
  return readFile(new URL(`../deploy/${file}`, import.meta.url), 'utf8');
}
