/**
 * What the operator can render, as far as rights are concerned: kinds by component, and the names of everything that is
 * cluster-scoped. A test compares the table with what the conformance cases render.
 */
import type { ComponentName } from '../src/model/plan.ts';

export interface ApiResource {
  readonly group: string;
  readonly resource: string;
  readonly scope: 'cluster' | 'namespaced';
}

const ADMISSION = 'admissionregistration.k8s.io';
const MONITORING = 'monitoring.coreos.com';
const RBAC = 'rbac.authorization.k8s.io';

export const API_RESOURCES = {
  ClusterRole: { group: RBAC, resource: 'clusterroles', scope: 'cluster' },
  ClusterRoleBinding: { group: RBAC, resource: 'clusterrolebindings', scope: 'cluster' },
  ConfigMap: { group: '', resource: 'configmaps', scope: 'namespaced' },
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    resource: 'customresourcedefinitions',
    scope: 'cluster',
  },
  DaemonSet: { group: 'apps', resource: 'daemonsets', scope: 'namespaced' },
  Deployment: { group: 'apps', resource: 'deployments', scope: 'namespaced' },
  EndpointSlice: { group: 'discovery.k8s.io', resource: 'endpointslices', scope: 'namespaced' },
  HorizontalPodAutoscaler: {
    group: 'autoscaling',
    resource: 'horizontalpodautoscalers',
    scope: 'namespaced',
  },
  MutatingWebhookConfiguration: {
    group: ADMISSION,
    resource: 'mutatingwebhookconfigurations',
    scope: 'cluster',
  },
  NetworkAttachmentDefinition: {
    group: 'k8s.cni.cncf.io',
    resource: 'network-attachment-definitions',
    scope: 'namespaced',
  },
  NetworkPolicy: { group: 'networking.k8s.io', resource: 'networkpolicies', scope: 'namespaced' },
  PersistentVolumeClaim: { group: '', resource: 'persistentvolumeclaims', scope: 'namespaced' },
  PodMonitor: { group: MONITORING, resource: 'podmonitors', scope: 'namespaced' },
  PrometheusRule: { group: MONITORING, resource: 'prometheusrules', scope: 'namespaced' },
  PodDisruptionBudget: { group: 'policy', resource: 'poddisruptionbudgets', scope: 'namespaced' },
  ResourceQuota: { group: '', resource: 'resourcequotas', scope: 'namespaced' },
  Role: { group: RBAC, resource: 'roles', scope: 'namespaced' },
  RoleBinding: { group: RBAC, resource: 'rolebindings', scope: 'namespaced' },
  Service: { group: '', resource: 'services', scope: 'namespaced' },
  ServiceAccount: { group: '', resource: 'serviceaccounts', scope: 'namespaced' },
  ServiceMonitor: { group: MONITORING, resource: 'servicemonitors', scope: 'namespaced' },
  Telemetry: { group: 'telemetry.istio.io', resource: 'telemetries', scope: 'namespaced' },
  ValidatingAdmissionPolicy: { group: ADMISSION, resource: 'validatingadmissionpolicies', scope: 'cluster' },
  ValidatingAdmissionPolicyBinding: {
    group: ADMISSION,
    resource: 'validatingadmissionpolicybindings',
    scope: 'cluster',
  },
  ValidatingWebhookConfiguration: {
    group: ADMISSION,
    resource: 'validatingwebhookconfigurations',
    scope: 'cluster',
  },
} as const satisfies Readonly<Record<string, ApiResource>>;

export type RenderedKind = keyof typeof API_RESOURCES;

type ClusterScopedKind = {
  [Kind in RenderedKind]: (typeof API_RESOURCES)[Kind]['scope'] extends 'cluster' ? Kind : never;
}[RenderedKind];

const GATEWAY_KINDS = [
  'Deployment',
  'HorizontalPodAutoscaler',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Role',
  'RoleBinding',
  'Service',
  'ServiceAccount',
] as const satisfies readonly RenderedKind[];

export const RENDERED_KINDS = {
  Base: [
    'CustomResourceDefinition',
    'ServiceAccount',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ],
  Pilot: [
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'Deployment',
    'EndpointSlice',
    'HorizontalPodAutoscaler',
    'MutatingWebhookConfiguration',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Role',
    'RoleBinding',
    'Service',
    'ServiceAccount',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ],
  Cni: [
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'DaemonSet',
    'NetworkAttachmentDefinition',
    'NetworkPolicy',
    'ResourceQuota',
    'ServiceAccount',
  ],
  Ztunnel: [
    'ClusterRole',
    'ClusterRoleBinding',
    'DaemonSet',
    'NetworkPolicy',
    'ResourceQuota',
    'ServiceAccount',
  ],
  IngressGateways: GATEWAY_KINDS,
  EgressGateways: GATEWAY_KINDS,
  Prometheus: [
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'Deployment',
    'PersistentVolumeClaim',
    'PodMonitor',
    'PrometheusRule',
    'Service',
    'ServiceAccount',
    'ServiceMonitor',
  ],
  Grafana: ['ConfigMap', 'Deployment', 'PersistentVolumeClaim', 'Service', 'ServiceAccount'],
  Kiali: ['ClusterRole', 'ClusterRoleBinding', 'ConfigMap', 'Deployment', 'Service', 'ServiceAccount'],
  Tracing: ['ConfigMap', 'Deployment', 'PersistentVolumeClaim', 'Service', 'ServiceAccount', 'Telemetry'],
  Loki: ['ConfigMap', 'Deployment', 'PersistentVolumeClaim', 'Service', 'ServiceAccount', 'Telemetry'],
} as const satisfies Readonly<Record<ComponentName, readonly RenderedKind[]>>;

/** A control plane, as far as it decides names. */
export interface ControlPlane {
  readonly namespace: string;
  /** Empty for the default revision. */
  readonly revision: string;
}

/** Names of cluster-scoped objects by kind. */
export type ClusterNames = Readonly<Record<ClusterScopedKind, readonly string[]>>;

/** The cluster-scoped objects of one control plane; every revision has its own. */
export function namesOf({ namespace, revision }: ControlPlane): ClusterNames {
  const suffix = suffixOf(revision);
  const roles = ['istiod-clusterrole', 'istiod-gateway-controller', 'istio-reader-clusterrole'].map(
    (role) => `${role}${suffix}-${namespace}`,
  );
  return {
    ClusterRole: roles,
    ClusterRoleBinding: roles,
    CustomResourceDefinition: [],
    MutatingWebhookConfiguration: [`istio-sidecar-injector${suffix}${webhookSuffix(namespace)}`],
    ValidatingAdmissionPolicy: [`stable-channel-policy${suffix}-${namespace}.istio.io`],
    ValidatingAdmissionPolicyBinding: [`stable-channel-policy-binding${suffix}-${namespace}.istio.io`],
    ValidatingWebhookConfiguration: [`istio-validator${suffix}-${namespace}`],
  };
}

/** The Role of istiod in the namespace of its control plane. */
export function controlPlaneRole({ revision }: ControlPlane): string {
  return `istiod${suffixOf(revision)}`;
}

/** The Roles of the gateways that have the names of the profiles' own. */
export const USUAL_GATEWAY_ROLES: readonly string[] = ['istio-egressgateway-sds', 'istio-ingressgateway-sds'];

function suffixOf(revision: string): string {
  return revision === '' ? '' : `-${revision}`;
}

/** The cluster-scoped objects of a revision tag of a control plane in that namespace. */
export function tagNames(namespace: string, tag: string): Pick<ClusterNames, 'MutatingWebhookConfiguration'> {
  return { MutatingWebhookConfiguration: [`istio-revision-tag-${tag}${webhookSuffix(namespace)}`] };
}

/** The cluster-scoped objects of the addons in a namespace. */
export function addonNames(namespace: string): Pick<ClusterNames, 'ClusterRole' | 'ClusterRoleBinding'> {
  const roles = ['kiali', 'prometheus'].map((addon) => `istio-addon-${addon}-${namespace}`);
  return { ClusterRole: roles, ClusterRoleBinding: roles };
}

/** Upstream leaves the namespace out of these names in the usual one only. */
function webhookSuffix(namespace: string): string {
  return namespace === 'istio-system' ? '' : `-${namespace}`;
}

/** The cluster-scoped objects that all control planes of a cluster share. */
export function sharedNames(definitions: readonly string[]): ClusterNames {
  return {
    ClusterRole: ['istio-cni', 'istio-cni-ambient', 'istio-cni-repair-role', 'ztunnel'],
    ClusterRoleBinding: ['istio-cni', 'istio-cni-ambient', 'istio-cni-repair-rolebinding', 'ztunnel'],
    CustomResourceDefinition: definitions,
    // The default may move to any control plane of the usual namespace.
    MutatingWebhookConfiguration: ['istio-revision-tag-default'],
    ValidatingAdmissionPolicy: ['stable-channel-default-policy.istio.io'],
    ValidatingAdmissionPolicyBinding: ['stable-channel-default-policy-binding.istio.io'],
    ValidatingWebhookConfiguration: ['istiod-default-validator'],
  };
}
