/** Two small installations that differ in everything that reconciling has to deal with, and what stands beside them. */
import type { JsonObject } from '../../../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../../../model/object.ts';
import { identityOf, refOf } from '../../../model/object.ts';
import type { ComponentName, Plan, PlannedComponent } from '../../../model/plan.ts';
import { objectsOf } from '../../../model/plan.ts';
import { NAMESPACE, planOf } from '../builders.ts';
import { ISTIO_OPERATOR } from '../../resource.ts';
import { OWNER_NAME_LABEL, OWNER_NAMESPACE_LABEL } from '../../watch-table.ts';

/** What the specification may ask for. */
export type StationName = 'full' | 'lean';

export const RESOURCE: ObjectRef = { ...ISTIO_OPERATOR, namespace: NAMESPACE, name: 'demo' };

const GATEWAYS = 'istio-ingress';
const VERSION = '1.30.3';

interface Parts {
  readonly component: ComponentName;
  /** Null for kinds that have none. */
  readonly namespace?: string | null;
  readonly body?: JsonObject;
}

function planned(kind: GroupVersionKind, name: string, { component, namespace, body }: Parts): K8sObject {
  const labels = {
    [OWNER_NAME_LABEL]: RESOURCE.name,
    [OWNER_NAMESPACE_LABEL]: NAMESPACE,
    'operator.istio.io/component': component,
    'operator.istio.io/managed': 'Reconcile',
    'operator.istio.io/version': VERSION,
  };
  const place = namespace === null ? {} : { namespace: namespace ?? NAMESPACE };
  return { ...kind, metadata: { name, ...place, labels }, ...body };
}

const APPS = { apiVersion: 'apps/v1', kind: 'Deployment' };
const RBAC = 'rbac.authorization.k8s.io/v1';

function workload(image: string, fields: JsonObject = {}): JsonObject {
  return { spec: { ...fields, template: { spec: { containers: [{ name: 'main', image }] } } } };
}

const DEFINITION = planned(
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
  'gateways.networking.istio.io',
  { component: 'Base', namespace: null, body: { spec: { group: 'networking.istio.io' } } },
);
const READER = planned({ apiVersion: 'v1', kind: 'ServiceAccount' }, 'istio-reader', { component: 'Base' });
const SERVICE = planned({ apiVersion: 'v1', kind: 'Service' }, 'istiod', {
  component: 'Pilot',
  body: { spec: { selector: { app: 'istiod' }, ports: [{ name: 'https', port: 443, protocol: 'TCP' }] } },
});
const WEBHOOK = planned(
  { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
  'istio-validator',
  {
    component: 'Pilot',
    namespace: null,
    body: {
      webhooks: [
        {
          name: 'validation.istio.io',
          failurePolicy: 'Ignore',
          clientConfig: { service: { name: 'istiod', namespace: NAMESPACE }, caBundle: '' },
        },
      ],
    },
  },
);
const AUTOSCALER = planned({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }, 'istiod', {
  component: 'Pilot',
  body: { spec: { minReplicas: 2, scaleTargetRef: { ...APPS, name: 'istiod' } } },
});
const BUDGET = planned({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }, 'istiod', {
  component: 'Pilot',
  body: { spec: { minAvailable: 1 } },
});
const GATEWAY = planned(APPS, 'istio-ingressgateway', {
  component: 'IngressGateways',
  namespace: GATEWAYS,
  body: workload('proxyv2:1'),
});

function config(content: string): K8sObject {
  return planned({ apiVersion: 'v1', kind: 'ConfigMap' }, 'istio', {
    component: 'Pilot',
    body: { data: { mesh: content } },
  });
}

/** Its role cannot be changed, so it has to be made anew. */
function binding(role: string): K8sObject {
  return planned({ apiVersion: RBAC, kind: 'ClusterRoleBinding' }, 'istiod', {
    component: 'Pilot',
    namespace: null,
    body: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role } },
  });
}

const PLANS: Readonly<Record<StationName, Plan>> = {
  full: planWith([
    { component: 'Base', after: [], objects: [DEFINITION, READER] },
    {
      component: 'Pilot',
      after: ['Base'],
      objects: [
        binding('istiod-full'),
        config('full'),
        planned(APPS, 'istiod', { component: 'Pilot', body: workload('pilot:1') }),
        SERVICE,
        AUTOSCALER,
        WEBHOOK,
      ],
    },
    { component: 'IngressGateways', after: ['Pilot'], objects: [GATEWAY] },
  ]),
  lean: planWith([
    { component: 'Base', after: [], objects: [DEFINITION, READER] },
    {
      component: 'Pilot',
      after: ['Base'],
      objects: [
        binding('istiod-lean'),
        config('lean'),
        planned(APPS, 'istiod', { component: 'Pilot', body: workload('pilot:1', { replicas: 1 }) }),
        SERVICE,
        BUDGET,
        WEBHOOK,
      ],
    },
  ]),
};

function planWith(components: readonly PlannedComponent[]): Plan {
  return planOf({ version: VERSION, components });
}

export function planFor(station: StationName): Plan {
  return PLANS[station];
}

/** The objects of a station, by identity. */
export const WANTED: Readonly<Record<StationName, ReadonlyMap<string, K8sObject>>> = {
  full: byIdentity(PLANS.full),
  lean: byIdentity(PLANS.lean),
};

function byIdentity(plan: Plan): ReadonlyMap<string, K8sObject> {
  return new Map(objectsOf(plan).map((object) => [identityOf(refOf(object)), object]));
}

/** Objects that others change, by a short name. */
export const TARGETS = {
  config: refOf(config('')),
  istiod: { ...APPS, namespace: NAMESPACE, name: 'istiod' },
  webhook: refOf(WEBHOOK),
  autoscaler: refOf(AUTOSCALER),
  gateway: refOf(GATEWAY),
} as const satisfies Readonly<Record<string, ObjectRef>>;

export type TargetName = keyof typeof TARGETS;

/** What is there before anything is installed, and must be there in the end. */
export const BYSTANDERS: readonly K8sObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
  secret('cacerts'),
  secret('istio-ca-secret'),
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: NAMESPACE },
    spec: { volumeName: 'data' },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-a-user', namespace: NAMESPACE } },
];

function secret(name: string): K8sObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: NAMESPACE },
    data: { key: 'a2V5' },
  };
}

export function resourceFor(station: StationName): K8sObject {
  const { apiVersion, kind, name } = RESOURCE;
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec: { station } };
}
