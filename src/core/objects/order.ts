/** The order in which objects are printed and applied: what others need comes first. */
import type { K8sObject } from '../../model/object.ts';
import { groupOf, namespaceOf } from '../../model/object.ts';

/** Kinds that are not listed are workloads of their own and come in the middle. */
const RANKS: Readonly<Record<string, number>> = {
  Namespace: 0,
  CustomResourceDefinition: 1,
  ServiceAccount: 2,
  Role: 3,
  ClusterRole: 3,
  RoleBinding: 4,
  ClusterRoleBinding: 4,
  ResourceQuota: 5,
  ConfigMap: 6,
  Secret: 6,
  NetworkPolicy: 7,
  Service: 8,
  EndpointSlice: 8,
  Deployment: 10,
  DaemonSet: 10,
  StatefulSet: 10,
  HorizontalPodAutoscaler: 11,
  PodDisruptionBudget: 11,
  ValidatingAdmissionPolicy: 12,
  ValidatingAdmissionPolicyBinding: 13,
  // Last: a webhook that is registered before its server runs refuses what is applied after it.
  ValidatingWebhookConfiguration: 14,
  MutatingWebhookConfiguration: 14,
};
const MIDDLE = 9;

function sortKey(object: K8sObject): readonly [number, string] {
  const rank = RANKS[object.kind] ?? MIDDLE;
  const text = [
    object.kind,
    groupOf(object.apiVersion),
    namespaceOf(object) ?? '',
    object.metadata.name,
  ].join('\0');
  return [rank, text];
}

/** Sorts by rank, then kind, group, namespace and name: equal input gives equal output. */
export function inApplyOrder(objects: readonly K8sObject[]): readonly K8sObject[] {
  return objects
    .map((object) => ({ object, key: sortKey(object) }))
    .toSorted((a, b) => a.key[0] - b.key[0] || (a.key[1] < b.key[1] ? -1 : a.key[1] > b.key[1] ? 1 : 0))
    .map(({ object }) => object);
}
