/** In which order objects are applied and deleted, by their kind. */
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { groupOf, labelsOf } from '../model/object.ts';
import type { ComponentName } from '../model/plan.ts';

/**
 * Stages of applying, in order; each is ready before the next begins. Kinds that are nowhere here belong to
 * `workloads`.
 */
const STAGES = [
  { stage: 'definitions', kinds: ['apiextensions.k8s.io/CustomResourceDefinition', '/Namespace'] },
  // Before the workloads, whose pods would otherwise be refused or start without their rights.
  {
    stage: 'access',
    kinds: ['/ServiceAccount', 'rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  },
  // The API server looks up the role that somebody binds, and refuses what it does not find.
  {
    stage: 'bindings',
    kinds: ['rbac.authorization.k8s.io/ClusterRoleBinding', 'rbac.authorization.k8s.io/RoleBinding'],
  },
  {
    stage: 'configuration',
    kinds: ['/ConfigMap', '/Secret', '/ResourceQuota', '/LimitRange', '/PersistentVolumeClaim'],
  },
  { stage: 'workloads', kinds: [] },
  // Last, and only once what answers them runs: a webhook without a server refuses the writes that it is asked about.
  {
    stage: 'admission',
    kinds: [
      'admissionregistration.k8s.io/MutatingWebhookConfiguration',
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'admissionregistration.k8s.io/MutatingAdmissionPolicy',
      'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
      'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
      'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
    ],
  },
] as const satisfies readonly { readonly stage: string; readonly kinds: readonly string[] }[];

type StageName = (typeof STAGES)[number]['stage'];

const STAGE_OF_KIND: ReadonlyMap<string, StageName> = new Map(
  STAGES.flatMap(({ stage, kinds }) => kinds.map((kind) => [kind, stage] as const)),
);

/**
 * Splits objects into stages without changing their order within a stage, but for the workloads of gateways: they come
 * last, because they may have to wait for their turn. Empty stages are left out.
 */
export function stagesOf(objects: readonly K8sObject[]): readonly (readonly K8sObject[])[] {
  const ordered = [
    ...objects.filter((object) => !isGatewayWorkload(object)),
    ...objects.filter(isGatewayWorkload),
  ];
  const stages = STAGES.map(({ stage }) => ordered.filter((object) => stageOf(object) === stage));
  return stages.filter((stage) => stage.length > 0);
}

/** Steps of deleting, in order: the reverse of applying, with gateways before what they depend on. */
const DELETION_STEPS = [
  'admission',
  'gateways',
  'workloads',
  'services',
  'configuration',
  'bindings',
  'access',
  'definitions',
] as const satisfies readonly (StageName | 'gateways' | 'services')[];

const GATEWAY_COMPONENTS: ReadonlySet<string> = new Set(['IngressGateways', 'EgressGateways']);

export function isOfGateways(component: ComponentName): boolean {
  return GATEWAY_COMPONENTS.has(component);
}

/** Tells whether an object is the workload of a gateway, by the labels that every planned object has. */
export function isGatewayWorkload(object: K8sObject): boolean {
  return (
    object.kind === 'Deployment' &&
    GATEWAY_COMPONENTS.has(labelsOf(object)['operator.istio.io/component'] ?? '')
  );
}

const SERVICE_KINDS: ReadonlySet<string> = new Set([
  '/Service',
  'discovery.k8s.io/EndpointSlice',
  '/Endpoints',
]);

/**
 * Splits live objects into groups that are deleted one after the other. Webhooks go first, so that none is left that
 * refuses writes because its server is gone; rights go last, so that what still runs can clean up.
 */
export function deletionGroups<T extends { readonly live: K8sObject }>(
  targets: readonly T[],
): readonly (readonly T[])[] {
  const groups = DELETION_STEPS.map((step) => targets.filter(({ live }) => deletionStepOf(live) === step));
  return groups.filter((group) => group.length > 0);
}

function deletionStepOf(live: K8sObject): (typeof DELETION_STEPS)[number] {
  const stage = stageOf(live);
  if (stage !== 'workloads') return stage;
  if (SERVICE_KINDS.has(qualifiedKind(live))) return 'services';
  return GATEWAY_COMPONENTS.has(labelsOf(live)['operator.istio.io/component'] ?? '')
    ? 'gateways'
    : 'workloads';
}

function stageOf(ref: ObjectRef | K8sObject): StageName {
  return STAGE_OF_KIND.get(qualifiedKind(ref)) ?? 'workloads';
}

function qualifiedKind(ref: { readonly apiVersion: string; readonly kind: string }): string {
  return `${groupOf(ref.apiVersion)}/${ref.kind}`;
}
