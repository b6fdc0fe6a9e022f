/**
 * What an uninstallation leaves on purpose, and a purge takes: the definitions, what istiod made at run time, and the
 * namespaces that were made for an installation. Everything is found by name; labels only narrow where to look.
 */
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { CommandEnvironment, Connection } from './environment.ts';
import type { Installation } from './installation.ts';
import type { Patience } from './removal.ts';
import { deleteObject, waitUntilAllGone } from './removal.ts';
import { counted } from './table.ts';

const CONFIG_MAP: GroupVersionKind = { apiVersion: 'v1', kind: 'ConfigMap' };
const LEASE: GroupVersionKind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };

/** Deletes all of it and waits until it is gone. Absent things are no fault. */
export async function purgeLeftovers(
  environment: CommandEnvironment,
  connection: Connection,
  purged: readonly Installation[],
  patience: Patience,
): Promise<void> {
  const { terminal } = environment;
  const definitions = await definitionsOf(environment);
  const runtime = await runtimeObjects(environment, connection, purged);
  const namespaces = [...new Set(purged.flatMap(({ madeNamespaces }) => madeNamespaces))].map(namespaceRef);
  // Namespaces last: the record of the installation is in one of them.
  for (const { noun, refs } of [
    { noun: 'leftover', refs: [...runtime, ...definitions] },
    { noun: 'namespace', refs: namespaces },
  ]) {
    const deleted: ObjectRef[] = [];
    for (const ref of refs) if (await deleteObject(environment, connection, ref)) deleted.push(ref);
    await waitUntilAllGone(environment, connection, deleted, patience);
    terminal.say(`  ${counted(deleted.length, noun)} gone`);
  }
}

/** Istio's definitions of every release line that we know: an older one may have brought more. */
async function definitionsOf({ loadAssets }: CommandEnvironment): Promise<readonly ObjectRef[]> {
  const { crds } = await loadAssets();
  const definitions = [...crds.keys()].flatMap((line) => crds.get(line) ?? []);
  return [...new Map(definitions.map((object) => [object.metadata.name, refOf(object)])).values()];
}

function namespaceRef(name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Namespace', name };
}

/** istiod's leader elections, such as `istio-leader` and `istio-namespace-controller-election`. */
const ELECTION = /^istio-(?:[a-z-]+-)?(?:leader|election)$/u;

async function runtimeObjects(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
  purged: readonly Installation[],
): Promise<readonly ObjectRef[]> {
  const namespaces = [...new Set(purged.map(({ owner }) => owner.namespace))];
  const roots = await cluster.list(CONFIG_MAP, { signal, labelSelector: 'istio.io/config=true' });
  const found: K8sObject[] = roots.filter(({ metadata }) => metadata.name === 'istio-ca-root-cert');
  for (const namespace of namespaces) {
    for (const kind of [LEASE, CONFIG_MAP]) {
      const objects = await cluster.list(kind, { signal, namespace });
      found.push(...objects.filter(({ metadata }) => ELECTION.test(metadata.name)));
    }
  }
  const authorities = namespaces.map((namespace): ObjectRef => ({
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    name: 'istio-ca-secret',
  }));
  return [...found.map(refOf), ...authorities];
}
