/** What a cluster has of control planes: their injectors, their tags, and who keeps what. */
import { labelledOwner } from '../apply/claim.ts';
import { INJECTOR_SELECTOR, revisionOfInjector, tagOf } from '../core/objects/injectors.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { labelsOf } from '../model/object.ts';
import type { CommandCluster } from './environment.ts';
import { displayOwner, ISTIO_OPERATOR } from './installation.ts';

const INJECTORS: GroupVersionKind = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
};

export const NAMESPACES: GroupVersionKind = { apiVersion: 'v1', kind: 'Namespace' };

export interface Injectors {
  readonly all: readonly K8sObject[];
  /** The webhooks of the revisions themselves. */
  readonly canonical: readonly K8sObject[];
  readonly tags: readonly K8sObject[];
}

/** Throws ClusterError. */
export async function injectorsOf(cluster: CommandCluster, signal: AbortSignal): Promise<Injectors> {
  const listed = await cluster.list(INJECTORS, { labelSelector: INJECTOR_SELECTOR, signal });
  const all = listed.map((object) => ({ ...object, ...INJECTORS }));
  return {
    all,
    canonical: all.filter((injector) => tagOf(injector) === undefined),
    tags: all.filter((injector) => tagOf(injector) !== undefined),
  };
}

/** The names of the revisions that inject, `default` for the one without a name, in order. */
export function revisionNames({ canonical }: Injectors): readonly string[] {
  return [...new Set(canonical.map(revisionOfInjector))].toSorted();
}

/** The IstioOperator that keeps an object, as `namespace/name`; undefined when none that lives does. */
export async function keeperOf(
  cluster: CommandCluster,
  object: K8sObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const owner = labelledOwner(object);
  if (owner?.namespace === undefined) return undefined;
  const ref: ObjectRef = { ...ISTIO_OPERATOR, name: owner.name, namespace: owner.namespace };
  const resource = await cluster.get(ref, { signal });
  return resource === undefined ? undefined : displayOwner({ name: owner.name, namespace: owner.namespace });
}

/** The namespaces whose pods a tag or revision serves by their labels, in order. */
export function namespacesOf(name: string, namespaces: readonly K8sObject[]): readonly string[] {
  return namespaces
    .filter((namespace) => {
      const { 'istio-injection': injection, 'istio.io/rev': revision } = labelsOf(namespace);
      return injection === undefined ? revision === name : name === 'default' && injection === 'enabled';
    })
    .map(({ metadata }) => metadata.name)
    .toSorted();
}
