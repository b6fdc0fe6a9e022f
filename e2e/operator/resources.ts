/** IstioOperators and what they install, as the tests see them: through the tests' own view of the cluster. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, isJsonObject, listAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { isK8sObject, uidOf } from '../../src/model/object.ts';
import type { OperatorStatus } from '../../src/model/status.ts';
import { conditionOf, generationOf, storedStatus } from '../../src/controller/resource.ts';
import { brokenInvariants } from '../../src/controller/status-invariants.ts';
import { OWNER_NAME_LABEL } from '../../src/controller/watch-table.ts';
import type { ApiResponse } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { apply, pathOf, readObjects } from '../deploy/manifests.ts';

const POLL_MS = 25;
// More than the minute after which the operator looks again at what it had no right to do.
const PATIENCE_MS = 100_000;

/** Resolves with the first value that is neither undefined nor false; rejects when that takes too long. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadlineMs) throw new Error(`never happened: ${what}`);
    await delay(POLL_MS);
  }
}

/** One namespace of IstioOperators. Every status that it sees is checked for soundness. */
export class Resources {
  readonly namespace: string;
  readonly #plane: ControlPlane;
  /** The generation that was observed last, by uid. Between two looks a status may change more than once. */
  readonly #seen = new Map<string, number>();
  /** What broke an invariant. */
  readonly unsound: string[] = [];
  /** Set while the operator is shown the cluster as it was: then it may tell of a generation of the past, too. */
  isPastShown = false;

  constructor(plane: ControlPlane, namespace: string) {
    this.#plane = plane;
    this.namespace = namespace;
  }

  /** Makes the definition and the namespace, and waits until resources can be made. */
  async prepare(): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } };
    for (const object of [namespace, ...(await readObjects('crd.yaml'))])
      await this.#expect(apply(this.#plane.api, object));
    await eventually('the definition is served', async () => (await this.#get('')).status === 200);
  }

  /** The cluster was put back to an earlier state, so generations that were observed since are none any more. */
  forgetObserved(): void {
    this.#seen.clear();
  }

  /** Creates or changes a resource as a user would with kubectl apply. */
  async apply(name: string, spec: JsonObject, annotations: JsonObject = {}): Promise<K8sObject> {
    return asObject(await this.#expect(apply(this.#plane.api, this.#resource(name, spec, annotations))));
  }

  async read(name: string): Promise<K8sObject | undefined> {
    const { status, body } = await this.#get(`/${name}`);
    if (status === 404) return undefined;
    const resource = asObject(body);
    this.#check(resource);
    return resource;
  }

  async delete(name: string): Promise<void> {
    await this.#plane.api.request('DELETE', `${this.#path()}/${name}`);
  }

  /** The status, once it says that of the present generation. */
  async until(name: string, status: OperatorStatus['status']): Promise<OperatorStatus> {
    let last = '';
    return eventually(`${name} is ${status}`, async () => {
      const resource = await this.read(name);
      const stored = storedStatus(resource);
      last = stored?.message ?? '';
      const isCurrent = resource !== undefined && stored?.observedGeneration === generationOf(resource);
      return isCurrent && stored.status === status ? stored : undefined;
    }).catch((error: unknown) => {
      throw new Error(`the last message of ${name} was: ${last}`, { cause: error });
    });
  }

  async untilGone(name: string): Promise<void> {
    await eventually(`${name} is gone`, async () => (await this.read(name)) === undefined);
  }

  /** Reason of `Ready`, for short comparisons. */
  static reasonOf(status: OperatorStatus): string | undefined {
    return conditionOf(status, 'Ready')?.reason;
  }

  /** The notes of events about a resource, by reason. */
  async eventsOf(name: string): Promise<readonly string[]> {
    const { body } = await this.#plane.api.request(
      'GET',
      `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`,
    );
    const events = listAt(body, 'items').filter((event) => at(event, 'regarding', 'name') === name);
    return events.map((event) => `${stringAt(event, 'reason')}: ${stringAt(event, 'note')}`);
  }

  /** Deletes all resources, and the claims that the operator leaves for their data; waits until they are gone. */
  async clear(): Promise<void> {
    const { body } = await this.#get('');
    const names = listAt(body, 'items').map((item) => stringAt(item, 'metadata', 'name') ?? '');
    for (const name of names) await this.delete(name);
    for (const name of names) await this.untilGone(name);
    await this.#clearClaims();
  }

  async #clearClaims(): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/persistentvolumeclaims`;
    const owned = `${path}?labelSelector=${encodeURIComponent(OWNER_NAME_LABEL)}`;
    await this.#plane.api.request('DELETE', owned);
    await eventually('the claims are gone', async () => {
      const { body } = await this.#plane.api.request('GET', owned);
      return listAt(body, 'items').length === 0;
    });
  }

  #check(resource: K8sObject): void {
    const status = storedStatus(resource);
    if (status === undefined) return;
    const uid = uidOf(resource) ?? '';
    const before = this.#seen.get(uid) ?? 0;
    this.#seen.set(uid, status.observedGeneration);
    this.unsound.push(...brokenInvariants(status, generationOf(resource)));
    if (status.observedGeneration < before && !this.isPastShown)
      this.unsound.push(`observed ${status.observedGeneration} after ${before}`);
  }

  #resource(name: string, spec: JsonObject, annotations: JsonObject): K8sObject {
    return {
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name, namespace: this.namespace, annotations },
      spec,
    };
  }

  #path(): string {
    return `/apis/install.istio.io/v1alpha1/namespaces/${this.namespace}/istiooperators`;
  }

  async #get(path: string): Promise<ApiResponse> {
    return this.#plane.api.request('GET', `${this.#path()}${path}`);
  }

  async #expect(response: Promise<ApiResponse>): Promise<JsonValue> {
    const { status, body } = await response;
    if (status !== 200 && status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return body;
  }
}

function asObject(body: JsonValue): K8sObject {
  if (!isK8sObject(body)) throw new Error(`no object: ${JSON.stringify(body)}`);
  return body;
}

/** An object as the administrator sees it; undefined when there is none. */
export async function readObject(plane: ControlPlane, ref: K8sObject): Promise<K8sObject | undefined> {
  const { status, body } = await plane.api.request('GET', pathOf(ref));
  return status === 200 && isJsonObject(body) ? asObject(body) : undefined;
}
