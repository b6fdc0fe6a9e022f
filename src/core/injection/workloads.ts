/** The pods that a workload leads to, as admission webhooks see them: by template, by owner, by name. */
import type { JsonObject } from '../../model/json.ts';
import { mapAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { namespaceOf } from '../../model/object.ts';

/** Labels, annotations and specification of pods. */
export interface PodTemplate extends JsonObject {
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

/** Kubernetes gives a hash like this to a ReplicaSet and its pods; istiod takes it off to find the Deployment's name. */
const POD_TEMPLATE_HASH = '5d78c9869d';
/** A CronJob calls its Jobs by the minute since 1970; istiod knows eight to ten digits. */
const JOB_MINUTE = '29000000';
/** Owners have a uid; nobody looks this one up. */
const UID = '00000000-0000-4000-8000-000000000000';

interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Labels that this controller adds to its pods. */
  readonly labels?: JsonObject;
}

interface Workload {
  /** Where the template of its pods stands. */
  readonly template: readonly string[];
  /** The object that makes the pods; none for a pod that is made by hand. */
  readonly controller?: (name: string) => Controller;
}

const owns =
  (apiVersion: string, kind: string) =>
  (name: string): Controller => ({ apiVersion, kind, name });

const WORKLOADS: Readonly<Record<string, Workload>> = {
  Pod: { template: [] },
  ReplicationController: { template: ['spec', 'template'], controller: owns('v1', 'ReplicationController') },
  Deployment: {
    template: ['spec', 'template'],
    controller: (name) => ({
      ...owns('apps/v1', 'ReplicaSet')(`${name}-${POD_TEMPLATE_HASH}`),
      labels: { 'pod-template-hash': POD_TEMPLATE_HASH },
    }),
  },
  ReplicaSet: { template: ['spec', 'template'], controller: owns('apps/v1', 'ReplicaSet') },
  StatefulSet: { template: ['spec', 'template'], controller: owns('apps/v1', 'StatefulSet') },
  DaemonSet: { template: ['spec', 'template'], controller: owns('apps/v1', 'DaemonSet') },
  Job: { template: ['spec', 'template'], controller: owns('batch/v1', 'Job') },
  CronJob: {
    template: ['spec', 'jobTemplate', 'spec', 'template'],
    controller: (name) => owns('batch/v1', 'Job')(`${name}-${JOB_MINUTE}`),
  },
};

const WORKLOAD_GROUPS = /^(v1|(apps|batch)\/.+)$/u;

function workloadOf({ apiVersion, kind }: K8sObject): Workload | undefined {
  return WORKLOAD_GROUPS.test(apiVersion) && Object.hasOwn(WORKLOADS, kind) ? WORKLOADS[kind] : undefined;
}

/** The template of the pods that an object leads to; undefined for objects that lead to none. */
export function podTemplateOf(object: K8sObject): PodTemplate | undefined {
  const workload = workloadOf(object);
  if (workload === undefined) return undefined;
  const template = mapAt(object, ...workload.template);
  return { ...template, metadata: mapAt(template, 'metadata'), spec: mapAt(template, 'spec') };
}

/** The object with another pod template. Everything else of it stays; a template without metadata gets some if need be. */
export function withPodTemplate(object: K8sObject, template: PodTemplate): K8sObject {
  const path = workloadOf(object)?.template ?? [];
  // Only what stands below the object's own apiVersion, kind and name is replaced.
  return replaced(object, path, template) as K8sObject;
}

function replaced(
  tree: JsonObject,
  [step, ...rest]: readonly string[],
  { metadata, spec }: PodTemplate,
): JsonObject {
  if (step !== undefined) {
    return { ...tree, [step]: replaced(mapAt(tree, step), rest, { metadata, spec }) };
  }
  const isEmpty = Object.keys(metadata).length === 0;
  return isEmpty && tree['metadata'] === undefined ? { ...tree, spec } : { ...tree, metadata, spec };
}

/**
 * A pod as the controllers of Kubernetes would create it for a workload: owner, name and labels are what istiod tells
 * the workload by. It lives in the object's namespace, else in `namespace`.
 */
export function podFor(object: K8sObject, template: PodTemplate, namespace: string): K8sObject {
  const controller = workloadOf(object)?.controller?.(object.metadata.name);
  const metadata = {
    ...template.metadata,
    namespace: namespaceOf(object) ?? namespace,
    name: object.metadata.name,
    labels: { ...mapAt(template.metadata, 'labels'), ...controller?.labels },
  };
  const owned = controller === undefined ? {} : ownership(controller);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, ...owned }, spec: template.spec };
}

function ownership({ apiVersion, kind, name }: Controller): JsonObject & { readonly name: string } {
  return {
    generateName: `${name}-`,
    name: `${name}-x7k2p`,
    ownerReferences: [{ apiVersion, kind, name, uid: UID, controller: true }],
  };
}
