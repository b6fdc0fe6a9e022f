/** Builders of objects and plans that show only what a test is about. */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { mapAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import type { ComponentName, Plan, PlannedComponent } from '../../model/plan.ts';

export const OWNER = { name: 'demo', namespace: 'istio-system' };

const OWNER_LABELS = {
  'install.operator.istio.io/owning-resource': OWNER.name,
  'install.operator.istio.io/owning-resource-namespace': OWNER.namespace,
};

interface Parts extends JsonObject {
  readonly metadata?: JsonObject;
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  DaemonSet: 'apps/v1',
  Deployment: 'apps/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Job: 'batch/v1',
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  StatefulSet: 'apps/v1',
  ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
};

const CLUSTER_SCOPED = /^(ClusterRole|CustomResourceDefinition|Namespace|.*WebhookConfiguration)/;

/** `Deployment istiod` in istio-system, with the owner labels, and whatever else is given. */
export function object(kind: string, name: string, parts: Parts = {}): K8sObject {
  const { metadata = {}, ...rest } = parts;
  const place: JsonObject = CLUSTER_SCOPED.test(kind) ? {} : { namespace: 'istio-system' };
  const labels = { ...OWNER_LABELS, ...mapAt(metadata, 'labels') };
  const apiVersion = API_VERSIONS[kind] ?? 'v1';
  return { apiVersion, kind, ...rest, metadata: { ...place, ...metadata, name, labels } };
}

export function deployment(name: string, spec: JsonObject = {}): K8sObject {
  const container = { name: 'main', image: 'registry/main:1' };
  return object('Deployment', name, {
    spec: { replicas: 1, template: { spec: { containers: [container] } }, ...spec },
  });
}

export function configMap(
  name: string,
  values: Readonly<Record<string, JsonValue>> = { key: 'value' },
): K8sObject {
  return object('ConfigMap', name, { data: values });
}

export function component(
  name: ComponentName,
  objects: readonly K8sObject[],
  after: readonly ComponentName[] = [],
): PlannedComponent {
  return { component: name, after, objects };
}

export function planOf(...components: readonly PlannedComponent[]): Plan {
  return {
    profile: 'demo',
    revision: '',
    version: '1.30.3',
    releaseLine: '1.30',
    namespace: 'istio-system',
    namespaceLabels: { 'topology.istio.io/network': 'network-1' },
    components,
    images: [],
    missingKinds: [],
    spec: {},
    userSpec: {},
    warnings: [],
  };
}
