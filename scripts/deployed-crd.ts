/** Generates deploy/crd.yaml, a copy of crds/istiooperators.yaml: kustomize reads nothing outside its own folder. */
import { readFile } from 'node:fs/promises';

export const name = 'the definition of IstioOperator for deploy/';

const SOURCE = 'crds/istiooperators.yaml';
const BANNER = `# Copied by scripts/deployed-crd.ts from ${SOURCE}: do not edit, run "npm run generate".\n`;

export async function generate(): Promise<ReadonlyMap<string, string>> {
  const definition = await readFile(new URL(`../${SOURCE}`, import.meta.url), 'utf8');
  return new Map([['deploy/crd.yaml', BANNER + definition]]);
}
