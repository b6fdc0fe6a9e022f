/** Somebody who edits what a healthy resource installed, one label after the other, and waits for each repair. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { labelsOf } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { pathOf } from '../deploy/manifests.ts';
import { eventually, readObject } from '../operator/resources.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const PAUSE_MS = 1_000;
const POLL_MS = 20;
/** What selects the objects of the operator; who takes it away is another adversary (drift of every kind). */
const SELECTING = /^(install\.operator\.istio\.io\/|operator\.istio\.io\/managed)/u;

/** What the profile `minimal` installs and nothing but the operator writes. */
export function disturbedIn(namespace: string): readonly K8sObject[] {
  const inNamespace = (apiVersion: string, kind: string, name: string): K8sObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
  });
  const roles = ['istio-reader-clusterrole', 'istiod-clusterrole', 'istiod-gateway-controller'];
  return [
    inNamespace('v1', 'Service', 'istiod'),
    inNamespace('v1', 'ServiceAccount', 'istiod'),
    inNamespace('v1', 'ServiceAccount', 'istio-reader-service-account'),
    inNamespace(RBAC, 'Role', 'istiod'),
    inNamespace(RBAC, 'RoleBinding', 'istiod'),
    ...roles.flatMap((role) =>
      ['ClusterRole', 'ClusterRoleBinding'].map((kind) => ({
        apiVersion: RBAC,
        kind,
        metadata: { name: `${role}-${namespace}` },
      })),
    ),
  ];
}

/** Never touches one label often enough to count as contested: each turn takes another object, each round another label. */
export class DriftAdversary {
  readonly #plane: ControlPlane;
  readonly #objects: readonly K8sObject[];
  readonly #took: number[] = [];
  #turn = 0;

  constructor(plane: ControlPlane, objects: readonly K8sObject[]) {
    this.#plane = plane;
    this.#objects = objects;
  }

  /** How long each repair took since the last time that this was asked, in milliseconds. */
  takeRepairsMs(): readonly number[] {
    return this.#took.splice(0);
  }

  /** Disturbs until the work is done, and at least once. Rejects when something is not repaired. */
  async beside<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const watched = work.finally(() => over.abort());
    const [result] = await Promise.all([watched, this.#disturbUntil(over.signal)]);
    return result;
  }

  async #disturbUntil(over: AbortSignal): Promise<void> {
    do {
      await this.#disturb();
      if (!over.aborted) await delay(PAUSE_MS);
    } while (!over.aborted);
  }

  async #disturb(): Promise<void> {
    const object = this.#objects[this.#turn % this.#objects.length];
    const round = Math.floor(this.#turn / this.#objects.length);
    this.#turn += 1;
    if (object === undefined) throw new Error('there is nothing to disturb');
    const live = await readObject(this.#plane, object);
    const labels = Object.entries(labelsOf(live ?? object)).filter(([key]) => !SELECTING.test(key));
    const [key, wanted] = labels[round % labels.length] ?? [];
    if (key === undefined) throw new Error(`${pathOf(object)} has no label to change`);
    await this.#change(object, { metadata: { labels: { [key]: 'drifted' } } });
    const startMs = performance.now();
    await eventually(`${key} of ${pathOf(object)} is ${wanted} again`, async () => {
      const isRepaired = labelsOf((await readObject(this.#plane, object)) ?? object)[key] === wanted;
      if (!isRepaired) await delay(POLL_MS);
      return isRepaired;
    });
    this.#took.push(performance.now() - startMs);
  }

  async #change(object: K8sObject, patch: JsonObject): Promise<void> {
    const path = pathOf(object);
    const answer = await this.#plane.api.request('PATCH', path, patch, 'application/merge-patch+json');
    if (answer.status !== 200) throw new Error(`${path} was not changed: ${answer.status}`);
  }
}
