/** What others may do to the metadata and the status of a resource, and what must come of it. */
import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, listAt, numberAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { eventually } from '../operator/resources.ts';
import { POISON_NAMESPACE } from './poison-specs.ts';

export const RESOURCES = `/apis/install.istio.io/v1alpha1/namespaces/${POISON_NAMESPACE}/istiooperators`;
const CONFIG_MAPS = `/api/v1/namespaces/${POISON_NAMESPACE}/configmaps`;
const OUR_FINALIZER = 'istio-finalizer.install.istio.io';
const FOREIGN_FINALIZER = 'example.com/hold';
const DRY_RUN: JsonObject = { 'install.istio.io/dry-run': 'true' };
const MERGE = 'application/merge-patch+json';

/** The namespace with the poison, as an administrator sees it. */
export class PoisonNamespace {
  readonly #plane: ControlPlane;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  /** Undefined when there is no such object, or no answer: the API server is busy with a poison itself at times. */
  async read(path: string): Promise<JsonValue | undefined> {
    const answer = await this.#plane.api.request('GET', path).catch(() => undefined);
    return answer?.status === 200 ? answer.body : undefined;
  }

  async create(name: string, spec: JsonObject, metadata: JsonObject = {}): Promise<void> {
    await this.#accept('POST', RESOURCES, {
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name, ...metadata },
      spec,
    });
  }

  async patch(path: string, patch: JsonObject): Promise<void> {
    await this.#accept('PATCH', path, patch, MERGE);
  }

  async createConfigMap(name: string): Promise<string> {
    const made = await this.#accept('POST', CONFIG_MAPS, { metadata: { name }, data: { a: 'b' } });
    return stringAt(made, 'metadata', 'uid') ?? '';
  }

  async delete(path: string): Promise<void> {
    await this.#plane.api.request('DELETE', path);
  }

  /** The resource, once a status says something about its present specification. */
  async untilTold(name: string): Promise<JsonValue> {
    return eventually(`the status of ${name} is about its specification`, async () => {
      const resource = await this.read(`${RESOURCES}/${name}`);
      const generation = numberAt(resource, 'metadata', 'generation');
      const isTold = generation !== undefined && at(resource, 'status', 'observedGeneration') === generation;
      return isTold ? resource : undefined;
    });
  }

  async untilStatus(name: string, status: string): Promise<JsonValue> {
    return eventually(`${name} is ${status}`, async () => {
      const resource = await this.untilTold(name);
      return at(resource, 'status', 'status') === status ? resource : undefined;
    });
  }

  /** As told by the server, not by a lost answer. */
  async untilGone(path: string): Promise<void> {
    await eventually(`${path} is gone`, async () => {
      const answer = await this.#plane.api.request('GET', path).catch(() => undefined);
      return answer?.status === 404;
    });
  }

  async #accept(method: 'POST' | 'PATCH', path: string, body: JsonObject, type?: string): Promise<JsonValue> {
    const answer = await this.#plane.api.request(method, path, body, type);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}

export const DEPLOYMENTS = `/apis/apps/v1/namespaces/${POISON_NAMESPACE}/deployments`;

export function gatewaySpec(name: string, serviceAnnotations: JsonObject = {}): JsonObject {
  const namespace = POISON_NAMESPACE;
  return {
    profile: 'empty',
    components: {
      ingressGateways: [
        { name, namespace, enabled: true, label: { istio: name }, k8s: { serviceAnnotations } },
      ],
    },
  };
}

/** Each leaves nothing behind but what the last step of the suite deletes. */
export const METADATA_POISONS: Readonly<Record<string, (namespace: PoisonNamespace) => Promise<void>>> = {
  'a forged status is replaced at the next edit, and what its inventory lists is not deleted': async (
    namespace,
  ) => {
    const uid = await namespace.createConfigMap('bystander');
    await namespace.create('forged', gatewaySpec('forged'));
    await namespace.untilStatus('forged', 'HEALTHY');
    await namespace.patch(`${RESOURCES}/forged/status`, { status: forgedStatus(uid) });
    await namespace.patch(`${RESOURCES}/forged`, { spec: gatewaySpec('forged', { edited: 'true' }) });

    const resource = await eventually('the inventory is true again', async () => {
      const told = await namespace.untilStatus('forged', 'HEALTHY');
      const kinds = listAt(told, 'status', 'inventory').map((entry) => at(entry, 'kind'));
      return kinds.includes('Deployment') && !kinds.includes('ConfigMap') ? told : undefined;
    });

    expect(at(resource, 'status', 'componentStatus', 'Pilot')).to.equal(undefined);
    await namespace.delete(`${RESOURCES}/forged`);
    await namespace.untilGone(`${RESOURCES}/forged`);
    await namespace.untilGone(`${DEPLOYMENTS}/forged`);
    expect(at(await namespace.read(`${CONFIG_MAPS}/bystander`), 'metadata', 'uid')).to.equal(uid);
  },

  'a forged version stops that resource alone, and is forgotten with the status': async (namespace) => {
    await namespace.create('aged', gatewaySpec('aged'));
    await namespace.untilStatus('aged', 'HEALTHY');
    await namespace.patch(`${RESOURCES}/aged/status`, { status: { version: '9.9.9' } });
    await namespace.patch(`${RESOURCES}/aged`, { spec: gatewaySpec('aged', { edited: 'true' }) });
    await eventually('the release is called unsupported', async () => {
      const resource = await namespace.untilTold('aged');
      return listAt(resource, 'status', 'conditions').some(
        (each) => at(each, 'reason') === 'UnsupportedRelease',
      );
    });

    await namespace.patch(`${RESOURCES}/aged/status`, { status: null });

    await eventually('the edit is carried out', async () => {
      const service = await namespace.read(`/api/v1/namespaces/${POISON_NAMESPACE}/services/aged`);
      return at(service, 'metadata', 'annotations', 'edited') === 'true';
    });
    await namespace.untilStatus('aged', 'HEALTHY');
    await namespace.delete(`${RESOURCES}/aged`);
    await namespace.untilGone(`${RESOURCES}/aged`);
    await namespace.untilGone(`${DEPLOYMENTS}/aged`);
  },

  'a finalizer of others stays, and keeps the resource but not what it installed': async (namespace) => {
    await namespace.create('held', gatewaySpec('held'), { finalizers: [FOREIGN_FINALIZER] });
    const resource = await namespace.untilStatus('held', 'HEALTHY');
    expect(listAt(resource, 'metadata', 'finalizers')).to.have.members([FOREIGN_FINALIZER, OUR_FINALIZER]);

    await namespace.delete(`${RESOURCES}/held`);
    await namespace.untilGone(`${DEPLOYMENTS}/held`);

    await eventually('only the finalizer of others is left', async () => {
      const left = listAt(await namespace.read(`${RESOURCES}/held`), 'metadata', 'finalizers');
      return left.length === 1 && left[0] === FOREIGN_FINALIZER;
    });
    await namespace.patch(`${RESOURCES}/held`, { metadata: { finalizers: null } });
    await namespace.untilGone(`${RESOURCES}/held`);
  },

  'an annotation of 200 KiB is borne': async (namespace) => {
    const annotations = { ...DRY_RUN, 'example.com/large': 'x'.repeat(200 * 1024) };
    await namespace.create('annotated', { profile: 'empty' }, { annotations });

    const resource = await namespace.untilTold('annotated');

    expect(at(resource, 'metadata', 'annotations', 'example.com/large')).to.have.length(200 * 1024);
  },

  'one that is deleted in the moment in which its specification breaks goes, with what it installed': async (
    namespace,
  ) => {
    await namespace.create('broken', gatewaySpec('broken'));
    await namespace.untilStatus('broken', 'HEALTHY');
    await namespace.patch(`${RESOURCES}/broken`, { spec: { profile: 'no-such-profile', tag: [] } });
    await namespace.delete(`${RESOURCES}/broken`);

    await namespace.untilGone(`${RESOURCES}/broken`);
    await namespace.untilGone(`${DEPLOYMENTS}/broken`);
  },

  'one that is deleted before anything was planned, with our finalizer in it, goes': async (namespace) => {
    const metadata = { finalizers: [OUR_FINALIZER] };
    await namespace.create('stillborn', { profile: 'no-such-profile' }, metadata);
    await namespace.delete(`${RESOURCES}/stillborn`);

    await namespace.untilGone(`${RESOURCES}/stillborn`);
  },

  'one that belongs to another object goes with that, and hands the owner on to nothing': async (
    namespace,
  ) => {
    const uid = await namespace.createConfigMap('owner');
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid };
    await namespace.create('owned', gatewaySpec('owned'), { ownerReferences: [owner] });
    await namespace.untilStatus('owned', 'HEALTHY');
    const deployment = await namespace.read(`${DEPLOYMENTS}/owned`);
    expect(at(deployment, 'metadata', 'name')).to.equal('owned');
    expect(at(deployment, 'metadata', 'ownerReferences')).to.equal(undefined);

    await namespace.delete(`${CONFIG_MAPS}/owner`);

    await namespace.untilGone(`${RESOURCES}/owned`);
    await namespace.untilGone(`${DEPLOYMENTS}/owned`);
  },
};

/** Of somebody who would like an object of others to be deleted, and what is installed to be forgotten. */
function forgedStatus(uid: string): JsonObject {
  const bystander = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: POISON_NAMESPACE,
    name: 'bystander',
    uid,
  };
  return {
    status: 'ERROR',
    observedGeneration: 99,
    componentStatus: { Pilot: { status: 'HEALTHY', version: '9.9.9' } },
    inventory: [bystander, { apiVersion: 'x/v1', kind: '__proto__', name: 'constructor' }],
  };
}
