/** What else is at work in a cluster: rollouts, autoscaling, endpoints, and what istiod writes into its webhook. */
import type { JsonObject } from '../../../model/json.ts';
import { at, isJsonObject, listAt, mapAt, numberAt } from '../../../model/json.ts';
import type { K8sObject, ObjectRef } from '../../../model/object.ts';
import { identityOf, refOf } from '../../../model/object.ts';
import { NAMESPACE } from '../builders.ts';
import type { ModelApi } from './model-api.ts';
import { TARGETS } from './stations.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The gateway takes longer than one run of the operator stays with it. */
const ROLLOUT_MS = { istiod: 50, 'istio-ingressgateway': 1_150 } as const satisfies Record<string, number>;

const SCALED_TO = 2;

export class ClusterControllers {
  readonly #api: ModelApi;
  readonly #time: VirtualTime;
  /** The generation that is being rolled out, by identity. */
  readonly #rollouts = new Map<string, string>();

  constructor(api: ModelApi, time: VirtualTime) {
    this.#api = api;
    this.#time = time;
  }

  /** Does everything that is to be done at once; rollouts follow in time. */
  act(): void {
    for (const [, { object }] of this.#api.entries()) if (object.kind === 'Deployment') this.#rollOut(object);
    this.#scale();
    this.#completeWebhook();
  }

  /** Objects that are there because others are. */
  derived(kind: string): readonly K8sObject[] {
    if (kind !== 'EndpointSlice' || !this.#isIstiodReady()) return [];
    const labels = { 'kubernetes.io/service-name': 'istiod' };
    const metadata = { name: 'istiod-1', namespace: NAMESPACE, labels };
    const endpoints = [{ addresses: ['10.0.0.1'], conditions: { ready: true } }];
    return [{ apiVersion: 'discovery.k8s.io/v1', kind, metadata, endpoints }];
  }

  #rollOut(deployment: K8sObject): void {
    const ref = refOf(deployment);
    if (isRolledOut(deployment)) return;
    const rollout = `${identityOf(ref)} ${String(deployment.metadata['uid'])} ${numberAt(deployment, 'metadata', 'generation')}`;
    if (this.#rollouts.get(identityOf(ref)) === rollout) return;
    this.#rollouts.set(identityOf(ref), rollout);
    const ms = ROLLOUT_MS[deployment.metadata.name as keyof typeof ROLLOUT_MS];
    this.#time.after(ms, () => this.#finish(ref));
  }

  #finish(ref: ObjectRef): void {
    const live = this.#api.read(ref);
    if (live === undefined) return;
    const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
    this.#api.setStatus(ref, {
      observedGeneration: numberAt(live, 'metadata', 'generation') ?? 0,
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    });
  }

  #scale(): void {
    const isScaled = at(this.#api.read(TARGETS.autoscaler), 'spec', 'scaleTargetRef') !== undefined;
    const workload = this.#api.read(TARGETS.istiod);
    if (!isScaled || workload === undefined || at(workload, 'spec', 'replicas') === SCALED_TO) return;
    this.#api.update('kube-controller-manager', TARGETS.istiod, (object) => ({
      ...object,
      spec: { ...mapAt(object, 'spec'), replicas: SCALED_TO },
    }));
  }

  /** As istiod does once it can validate. */
  #completeWebhook(): void {
    const webhook = this.#api.read(TARGETS.webhook);
    if (webhook === undefined || !this.#isIstiodReady()) return;
    if (listAt(webhook, 'webhooks').every(isComplete)) return;
    this.#api.update('pilot-discovery', TARGETS.webhook, (object) => ({
      ...object,
      webhooks: listAt(object, 'webhooks').filter(isJsonObject).map(completed),
    }));
  }

  #isIstiodReady(): boolean {
    const istiod = this.#api.read(TARGETS.istiod);
    return (numberAt(istiod, 'status', 'availableReplicas') ?? 0) > 0;
  }
}

function isRolledOut(deployment: K8sObject): boolean {
  const observed = numberAt(deployment, 'status', 'observedGeneration');
  return observed === numberAt(deployment, 'metadata', 'generation');
}

function isComplete(webhook: unknown): boolean {
  return (
    isJsonObject(webhook) &&
    webhook['failurePolicy'] === 'Fail' &&
    at(webhook, 'clientConfig', 'caBundle') === 'Q0E='
  );
}

function completed(webhook: JsonObject): JsonObject {
  return {
    ...webhook,
    failurePolicy: 'Fail',
    clientConfig: { ...mapAt(webhook, 'clientConfig'), caBundle: 'Q0E=' },
  };
}
