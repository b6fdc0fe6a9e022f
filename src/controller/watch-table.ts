/**
 * The kinds that a plan can contain. Each is watched, but only the objects that bear our labels, so that neither
 * memory nor work grows with what else is in the cluster. A test compares this table with what is rendered.
 */
import type { GroupVersionKind } from '../model/object.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const ADMISSION = 'admissionregistration.k8s.io/v1';

export const OWNED_KINDS: readonly GroupVersionKind[] = [
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: RBAC, kind: 'Role' },
  { apiVersion: RBAC, kind: 'RoleBinding' },
  { apiVersion: RBAC, kind: 'ClusterRole' },
  { apiVersion: RBAC, kind: 'ClusterRoleBinding' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'v1', kind: 'ResourceQuota' },
  { apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry' },
  { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor' },
  { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor' },
  { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition' },
  { apiVersion: ADMISSION, kind: 'MutatingWebhookConfiguration' },
  { apiVersion: ADMISSION, kind: 'ValidatingWebhookConfiguration' },
  { apiVersion: ADMISSION, kind: 'ValidatingAdmissionPolicy' },
  { apiVersion: ADMISSION, kind: 'ValidatingAdmissionPolicyBinding' },
];

/** The kind of injection webhooks; those of others are watched too. */
export const INJECTORS: GroupVersionKind = { apiVersion: ADMISSION, kind: 'MutatingWebhookConfiguration' };

export const OWNER_NAME_LABEL = 'install.operator.istio.io/owning-resource';
export const OWNER_NAMESPACE_LABEL = 'install.operator.istio.io/owning-resource-namespace';

/** Selects what an IstioOperator installed, whichever one. */
const OWNED = `${OWNER_NAME_LABEL},operator.istio.io/managed=Reconcile`;

/**
 * Kubernetes copies a Service's labels to the slices that it makes for it; those change with every pod. A slice of ours
 * names a manager too: without one these controllers would take it for theirs.
 */
const SLICE_MAKERS = 'endpointslice-controller.k8s.io,endpointslicemirroring-controller.k8s.io';
const OWN_SLICES = `${OWNED},endpointslice.kubernetes.io/managed-by notin (${SLICE_MAKERS})`;

/** Selects the objects of a kind that a plan can contain. */
export function ownedSelector({ kind }: GroupVersionKind): string {
  return kind === 'EndpointSlice' ? OWN_SLICES : OWNED;
}
