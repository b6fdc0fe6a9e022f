/**
 * Generates what deploy/hardened/ has in common with deploy/: kustomize reads nothing outside of the folder of a
 * kustomization but whole kustomizations, and none of those that contain it. Its rights are made by scripts/rbac.ts.
 */
import { readFile } from 'node:fs/promises';
import * as deployedCrd from './deployed-crd.ts';

export const name = 'the hardened deployment';

const BANNER = `# Made from the file of the same name in deploy/: do not edit, run "npm run generate".
`;

/** In deploy/operator.yaml, before this variable. */
const ANCHOR = '            # The heap stays below';
const HARDENED = `            # Rights and cluster-scoped objects are an administrator's; see rbac.yaml.
            - name: HARDENED
              value: 'true'
`;

export async function generate(): Promise<ReadonlyMap<string, string>> {
  const operator = await readBase('operator.yaml');
  if (!operator.includes(ANCHOR)) throw new Error(`deploy/operator.yaml has no line "${ANCHOR.trim()}"`);
  const definition = (await deployedCrd.generate()).get('deploy/crd.yaml');
  if (definition === undefined) throw new Error('no definition is made for deploy/');
  return new Map([
    ['deploy/hardened/crd.yaml', definition],
    ['deploy/hardened/namespaces.yaml', BANNER + (await readBase('namespaces.yaml'))],
    ['deploy/hardened/admission.yaml', BANNER + (await readBase('admission.yaml'))],
    ['deploy/hardened/operator.yaml', BANNER + operator.replace(ANCHOR, HARDENED + ANCHOR)],
  ]);
}

async function readBase(file: string): Promise<string> {
  return readFile(new URL(`../deploy/${file}`, import.meta.url), 'utf8');
}
