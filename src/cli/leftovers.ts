/** What earlier installations left behind, and injectors that are in each other's way. */
import { labelledOwner } from '../apply/claim.ts';
import { diagnose } from '../core/diagnostics.ts';
import { overlap, tagOf, targetOfInjector } from '../core/objects/injectors.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { GroupVersionKind, K8sObject } from '../model/object.ts';
import { displayRef, namespaceOf, refOf } from '../model/object.ts';
import { injectorsOf } from './control-planes.ts';
import type { CommandCluster } from './environment.ts';
import { displayOwner, listInstallations } from './installation.ts';

export interface LeftoverSearch {
  readonly cluster: CommandCluster;
  readonly signal: AbortSignal;
}

/** Pairs of injectors that reach the same pods (IST0139), and tags that point to no control plane. */
export async function injectionFindings({ cluster, signal }: LeftoverSearch): Promise<readonly Diagnostic[]> {
  const { all, canonical } = await injectorsOf(cluster, signal);
  const pairs = all.flatMap((left, index) => all.slice(index + 1).map((right) => [left, right] as const));
  const targets = new Set(canonical.map(targetOfInjector));
  const dangling = all.filter(
    (injector) => tagOf(injector) !== undefined && !targets.has(targetOfInjector(injector)),
  );
  return [
    ...pairs
      .filter(([left, right]) => overlap(left, right))
      .map(([left, right]) =>
        conflict(
          `${left.metadata.name} and ${right.metadata.name} inject into the same pods (IST0139)`,
          'Remove one of them, or move the tag.',
        ),
      ),
    ...dangling.map((injector) =>
      conflict(
        `revision tag "${tagOf(injector) ?? ''}" points to ${targetOfInjector(injector)}, which no revision serves`,
        'Move it with "istio-operator tag set --overwrite", or remove it.',
      ),
    ),
  ];
}

function conflict(cause: string, remedy: string): Diagnostic {
  return diagnose('injectionConflict', { path: [], cause, remedy });
}

/** The kinds whose leftovers do harm: they refuse pods and configuration, or serve what nobody looks after. */
const KINDS: readonly GroupVersionKind[] = [
  { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
  { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
];

/** Objects whose labels name an installation that is not there any more, by installation. */
export async function leftoverFindings({ cluster, signal }: LeftoverSearch): Promise<readonly Diagnostic[]> {
  const installations = new Set(
    (await listInstallations(cluster, { signal })).map(({ owner }) => displayOwner(owner)),
  );
  const listed = await Promise.all(
    KINDS.map(async (kind) => {
      const objects = await cluster.list(kind, { labelSelector: 'operator.istio.io/component', signal });
      return objects.map((object) => ({ ...object, ...kind }));
    }),
  );
  const byOwner = Map.groupBy(listed.flat(), ownerOf);
  return [...byOwner].flatMap(([owner, objects]) =>
    owner === undefined || installations.has(owner) ? [] : [leftoverOf(owner, objects)],
  );
}

function ownerOf(object: K8sObject): string | undefined {
  const labelled = labelledOwner(object);
  const namespace = labelled?.namespace ?? namespaceOf(object);
  return labelled === undefined || namespace === undefined
    ? undefined
    : displayOwner({ name: labelled.name, namespace });
}

function leftoverOf(owner: string, objects: readonly K8sObject[]): Diagnostic {
  const [first] = objects;
  const named = first === undefined ? '' : displayRef(refOf(first));
  const others = objects.length === 1 ? '' : ` and ${objects.length - 1} more`;
  return diagnose('leftover', {
    path: [],
    cause: `${named}${others} belong to the installation ${owner}, which is not there`,
    remedy: 'Delete them, or make an IstioOperator of that name to take them over.',
  });
}
