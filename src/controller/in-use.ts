/** Whether a control plane can be deleted without taking it away from pods that use it. */
import {
  isInAmbient,
  POD,
  PodCounter,
  revisionOfPod,
  RUNNING_PODS,
  workloadOf,
} from '../core/objects/data-plane.ts';
import { revisionOfInjector, tagOf } from '../core/objects/injectors.ts';
import { isClusterError } from '../model/cluster-error.ts';
import type { K8sObject } from '../model/object.ts';
import { identityOf, namespaceOf, refOf } from '../model/object.ts';
import type { Usage } from '../model/outcome.ts';
import type { OperatorStatus } from '../model/status.ts';
import { ownerKeyOf } from './drift.ts';
import { deletionTimeMs, isRemovalForced, keyOfResource } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';

export type UsageDeps = Pick<ReconcileDeps, 'resources' | 'injectors' | 'cluster'>;

export type Deletion = Pick<Visit, 'resource' | 'signal'>;

/**
 * What keeps the installation of a resource from being deleted; undefined when nothing does. Pods of the installation
 * itself, such as its gateways, do not count: they go with it. Not being able to tell counts as being in use.
 */
export async function usageOf(
  deps: UsageDeps,
  visit: Deletion,
  status: OperatorStatus,
): Promise<Usage | undefined> {
  if (isRemovalForced(visit.resource)) return undefined;
  const parts = partsOf(status);
  if (!parts.hasIstiod && !parts.hasZtunnel) return undefined;
  const usage = await lookForUsage(deps, visit, parts);
  return usage === undefined || (await isNamespaceGoing(deps, visit)) ? undefined : usage;
}

interface Parts {
  readonly revision: string;
  readonly hasIstiod: boolean;
  readonly hasZtunnel: boolean;
  /** Identities of everything that is installed. */
  readonly installed: ReadonlySet<string>;
}

function partsOf({ revision = 'default', inventory }: OperatorStatus): Parts {
  const istiod = revision === 'default' ? 'istiod' : `istiod-${revision}`;
  const has = (wantedKind: string, wantedName: string): boolean =>
    inventory.some(({ kind, name }) => kind === wantedKind && name === wantedName);
  return {
    revision,
    hasIstiod: has('Deployment', istiod),
    hasZtunnel: has('DaemonSet', 'ztunnel'),
    installed: new Set(inventory.map(identityOf)),
  };
}

async function lookForUsage(
  { resources, injectors }: UsageDeps,
  { resource, signal }: Deletion,
  parts: Parts,
): Promise<Usage | undefined> {
  const counter = new PodCounter();
  try {
    const selection = { fieldSelector: RUNNING_PODS, signal };
    await resources.scanMetadata(POD, (pod) => uses(pod, parts) && counter.add(pod), selection);
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return { kind: 'unknown', revision: parts.revision, cause: error.message };
  }
  const key = keyOfResource(resource);
  const foreign = injectors().filter((injector) => ownerKeyOf(injector) !== key);
  const tags = parts.hasIstiod ? foreignTags(foreign, parts) : [];
  const count = counter.count();
  return count.pods === 0 && tags.length === 0
    ? undefined
    : { kind: 'used', revision: parts.revision, count, tags };
}

function uses(pod: K8sObject, { revision, hasIstiod, hasZtunnel, installed }: Parts): boolean {
  const isUser = (hasIstiod && revisionOfPod(pod) === revision) || (hasZtunnel && isInAmbient(pod));
  const workload = isUser ? workloadOf(pod) : undefined;
  return isUser && (workload === undefined || !installed.has(identityOf(workload)));
}

/**
 * Tags that others made: they would point to nothing, and pods that name them would be refused. An administrator may have
 * made one for this very resource; it is in no inventory, and goes by the same hand.
 */
function foreignTags(injectors: readonly K8sObject[], { revision, installed }: Parts): readonly string[] {
  return injectors
    .filter(
      (injector) => revisionOfInjector(injector) === revision && !installed.has(identityOf(refOf(injector))),
    )
    .flatMap((injector) => tagOf(injector) ?? []);
}

/** Nothing can be kept in a namespace that is going: then what is outside of it had better go too. */
async function isNamespaceGoing({ cluster }: UsageDeps, { resource, signal }: Deletion): Promise<boolean> {
  const namespace = namespaceOf(resource);
  if (namespace === undefined) return false;
  try {
    const live = await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, { signal });
    return live !== undefined && deletionTimeMs(live) !== undefined;
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return false;
  }
}
