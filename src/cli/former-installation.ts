/** Traces of who installed the objects that are there: the operator of Istio 1.23, istioctl, or Helm. */
import { labelledOwner } from '../apply/claim.ts';
import { identities } from '../apply/inventory.ts';
import { at, listAt, stringAt } from '../model/json.ts';
import type { GroupVersionKind, K8sObject } from '../model/object.ts';
import { annotationsOf, displayRef, identityOf, labelsOf, refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { failure } from './command-error.ts';
import type { CommandEnvironment, Connection } from './environment.ts';

/** How one object got into the cluster. */
export type Installer =
  | { readonly kind: 'helm'; readonly release: string; readonly namespace: string }
  /** By istioctl or an operator, for a resource of this name; `name` is empty where none was written down. */
  | { readonly kind: 'istioctl'; readonly name: string; readonly namespace: string }
  | { readonly kind: 'unknown' };

export function installerOf(object: K8sObject): Installer {
  const annotations = annotationsOf(object);
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) {
    return { kind: 'helm', release, namespace: annotations['meta.helm.sh/release-namespace'] ?? '' };
  }
  if (labelsOf(object)['operator.istio.io/managed'] === undefined) return { kind: 'unknown' };
  const { name = '', namespace = '' } = labelledOwner(object) ?? {};
  return { kind: 'istioctl', name, namespace };
}

function describeInstaller(installer: Installer): string {
  switch (installer.kind) {
    case 'helm':
      return `Helm, release ${installer.release} in ${installer.namespace}`;
    case 'istioctl':
      return installer.name === ''
        ? 'istioctl'
        : `istioctl or the former operator, for ${installer.namespace}/${installer.name}`;
    case 'unknown':
      return 'nobody who left a trace';
  }
}

/** How many of the objects each installer brought, in alphabetical order. */
export function countInstallers(objects: readonly K8sObject[]): ReadonlyMap<string, number> {
  const names = objects.map((object) => describeInstaller(installerOf(object))).toSorted();
  return names.reduce(
    (counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1),
    new Map<string, number>(),
  );
}

/** What Helm and istioctl put on everything that they install. */
const SELECTORS = ['operator.istio.io/managed=Reconcile', 'app.kubernetes.io/managed-by=Helm'];

/**
 * Objects by the installers whose objects the plan takes over that are in no plan; they stay. Only kinds of the plan are
 * looked at, and never definitions: what else is of them is not ours to judge.
 */
export async function leftBehind(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
  { plan, taken }: { readonly plan: Plan; readonly taken: readonly K8sObject[] },
): Promise<readonly K8sObject[]> {
  const planned = identities(objectsOf(plan).map(refOf));
  const installers = new Set(countInstallers(taken).keys());
  const kinds = new Map<string, GroupVersionKind>(
    objectsOf(plan)
      .filter(({ kind }) => kind !== 'CustomResourceDefinition')
      .map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  const found: K8sObject[] = [];
  for (const kind of kinds.values()) {
    for (const labelSelector of SELECTORS)
      found.push(...(await cluster.list(kind, { signal, labelSelector })));
  }
  return found.filter(
    (object) =>
      !planned.has(identityOf(refOf(object))) && installers.has(describeInstaller(installerOf(object))),
  );
}

const FORMER_OPERATOR_IMAGE = /\/operator:/u;

/** Throws a CommandError when an operator of Istio 1.23 or before still runs: it would put everything back. */
export async function refuseFormerOperator(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
): Promise<void> {
  const deployments = await cluster.list({ apiVersion: 'apps/v1', kind: 'Deployment' }, { signal });
  const running = deployments.find(
    (object) =>
      object.metadata.name.startsWith('istio-operator') &&
      listAt(object, 'spec', 'template', 'spec', 'containers').some((container) =>
        FORMER_OPERATOR_IMAGE.test(stringAt(container, 'image') ?? ''),
      ) &&
      at(object, 'spec', 'replicas') !== 0,
  );
  if (running === undefined) return;
  const { name, namespace = '' } = refOf(running);
  throw failure(
    'formerOperator',
    `${displayRef(refOf(running))} is an operator of Istio 1.23 or before, and would undo the changes`,
    `Stop it first: kubectl scale deployment ${name} -n ${namespace} --replicas=0.`,
  );
}
