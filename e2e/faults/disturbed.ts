/** Objects that can be edited and deleted behind the operator without any pod noticing. */
import type { K8sObject } from '../../src/model/object.ts';
import { NAMESPACE } from './fault-bench.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const inNamespace = (apiVersion: string, kind: string, name: string): K8sObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE },
});
const clusterWide = (kind: string, name: string): K8sObject => ({
  apiVersion: RBAC,
  kind,
  metadata: { name },
});

/** Of any station with istiod. Whatever is disturbed more than three times in five minutes counts as contested. */
export const DISTURBED: readonly K8sObject[] = [
  inNamespace('v1', 'Service', 'istiod'),
  inNamespace('v1', 'ServiceAccount', 'istiod'),
  inNamespace('v1', 'ServiceAccount', 'istio-reader-service-account'),
  inNamespace(RBAC, 'Role', 'istiod'),
  inNamespace(RBAC, 'RoleBinding', 'istiod'),
  ...['istio-reader-clusterrole', 'istiod-clusterrole', 'istiod-gateway-controller'].flatMap((name) => [
    clusterWide('ClusterRole', `${name}-${NAMESPACE}`),
    clusterWide('ClusterRoleBinding', `${name}-${NAMESPACE}`),
  ]),
];

/** The object whose turn it is, counted from any number. */
export function disturbed(turn: number): K8sObject {
  const object = DISTURBED[turn % DISTURBED.length];
  if (object === undefined) throw new Error('there is nothing to disturb');
  return object;
}
