/** The administrator of a hardened operator. */
import { readManifests } from '../../src/core/manifests.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { run } from '../cli/program.ts';

/** What the administrator's command prints for a resource. */
export async function printedForAdministrator(resource: K8sObject): Promise<readonly K8sObject[]> {
  const args = ['manifest', 'generate', '--scope', 'admin', '-f', '-'];
  const { stdout, stderr } = await run(args, JSON.stringify(resource));
  const read = readManifests(stdout, 'the printed objects');
  if (read.kind === 'invalid') throw new Error(stderr);
  return read.objects;
}
