/** The operator where the API server refuses some of what it asks for: each fault has its own namespace, all at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { openedNamespaces } from '../../scripts/rights.ts';
import type { Part } from '../../scripts/rights.ts';
import { generationOf, storedStatus } from '../../src/controller/resource.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { listAt, mapAt, numberAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import type { OperatorStatus } from '../../src/model/status.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { apply, deployedObjects, pathOf } from '../deploy/manifests.ts';
import { operatorKubeconfig } from '../deploy/operator-kubeconfig.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import type { Servers } from './refusal-faults.ts';
import { deadService, denyingPolicy, quota, serveFaults, webhook } from './refusal-faults.ts';
import { eventually, readObject, Resources } from './resources.ts';

/** Within which the status must name what is wrong, and a deleted resource must be gone. */
const LIMIT_MS = 15_000;
const LIVES_AT_ONCE = 3;
const POLL_MS = 250;
/** The API server learns of webhooks, policies, quotas and rights by watches of its own. */
const IN_FORCE_MS = 2_000;

interface Fault {
  /** Of the resource and of the namespace that the fault is in. */
  readonly name: string;
  readonly says: string;
  /** Gateways unless it says otherwise. */
  readonly part?: Part;
  readonly spec?: (namespace: string) => JsonObject;
  /** What brings the fault about, and goes to end it. */
  readonly objects: (namespace: string, servers: Servers) => readonly K8sObject[];
  readonly reason: string;
  readonly message: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'dead-webhook',
    says: 'a validating webhook without endpoints',
    objects: (namespace) => {
      const { service, client } = deadService(namespace);
      return [service, webhook(namespace, { client, resources: ['deployments'] })];
    },
    reason: 'WebhookUnavailable',
    message: /IngressGateways: Deployment dead-webhook\/edge-dead-webhook: .*failed calling webhook "guard/,
  },
  {
    name: 'silent-webhook',
    says: 'a validating webhook that never answers',
    objects: (namespace, { silentUrl: url, denying: { caBundle } }) => [
      webhook(namespace, { client: { url, caBundle }, resources: ['serviceaccounts'], group: '' }),
    ],
    reason: 'WebhookUnavailable',
    message: /ServiceAccount silent-webhook\/edge-silent-webhook-service-account: .*failed calling webhook/,
  },
  {
    name: 'denying-webhook',
    says: 'a validating webhook that says no',
    objects: (namespace, { denying: { url, caBundle } }) => [
      webhook(namespace, { client: { url, caBundle }, resources: ['deployments'] }),
    ],
    reason: 'AdmissionRefused',
    message: /Deployment denying-webhook\/edge-denying-webhook: .*denied the request: frozen until Monday/,
  },
  {
    name: 'denying-policy',
    says: 'an admission policy that says no',
    objects: denyingPolicy,
    reason: 'AdmissionRefused',
    message: /Deployment denying-policy\/edge-denying-policy: .*no workloads here/,
  },
  {
    name: 'quota-of-services',
    says: 'a quota that leaves no room for a Service',
    objects: (namespace) => [quota(namespace, { 'count/services': '0' })],
    reason: 'QuotaExceeded',
    message: /Service quota-of-services\/edge-quota-of-services: .*exceeded quota: e2e/,
  },
  {
    name: 'quota-of-pods',
    says: 'a quota that leaves no room for a pod',
    objects: (namespace) => [quota(namespace, { pods: '0' })],
    reason: 'PodsRefused',
    message: /Deployment quota-of-pods\/edge-quota-of-pods: .*exceeded quota: e2e/,
  },
  {
    name: 'dead-injector',
    says: 'an injector without endpoints',
    objects: (namespace) => {
      const { service, client } = deadService(namespace);
      const kind = 'MutatingWebhookConfiguration';
      return [service, webhook(namespace, { kind, client, resources: ['pods'], group: '' })];
    },
    reason: 'PodsRefused',
    message: /Deployment dead-injector\/edge-dead-injector: .*failed calling webhook "guard/,
  },
  {
    name: 'pod-security',
    says: 'pod security that lets no agent of a node in',
    part: 'node-agents',
    spec: (namespace) => ({ profile: 'empty', components: { cni: { enabled: true, namespace } } }),
    objects: (name) => {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      return [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }];
    },
    reason: 'PodsRefused',
    message: /DaemonSet pod-security\/istio-cni-node: .*violates PodSecurity "restricted/,
  },
];

/** A gateway where the fault is, one of the same component beside it, and one of another component. */
function gateways(name: string): JsonObject {
  return {
    profile: 'empty',
    components: {
      ingressGateways: [gateway(`edge-${name}`, name), gateway(`beside-${name}`, NAMESPACE)],
      egressGateways: [gateway(`exit-${name}`, NAMESPACE)],
    },
  };
}

function gateway(app: string, namespace: string): JsonObject {
  return { name: app, namespace, enabled: true, label: { app, istio: app } };
}

/** What became of a resource from its creation under the fault on. */
interface Life {
  readonly told: OperatorStatus;
  readonly toldMs: number;
  /** How long it took to delete another resource that the fault holds up; absent when there was none. */
  readonly twinGoneMs?: number;
  readonly healed: OperatorStatus;
}

const NAMESPACE = 'istio-system';

describe('the operator where the API server refuses', () => {
  let plane: ControlPlane;
  let servers: Servers;
  let resources: Resources;
  let operator: OperatorUnderTest;

  // A control plane of its own: the webhooks and policies would reach into the other suites.
  before(async () => {
    [plane, servers] = await Promise.all([startControlPlane(), serveFaults()]);
    for (const object of await deployedObjects()) await accept(object);
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    const kubeconfigPath = await operatorKubeconfig(plane);
    operator = await startOperator({ ...plane, kubeconfigPath }, { concurrency: 2 * LIVES_AT_ONCE });
    await eventually('the operator is ready', async () => operator.ready());
  });

  after(async () => {
    await operator.stop();
    await servers.close();
    await plane.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  async function accept(object: K8sObject): Promise<void> {
    const { status, body } = await apply(plane.api, object);
    expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }

  async function bringAbout({ name, objects, part = 'gateways' }: Fault): Promise<void> {
    await accept({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const right of openedNamespaces([{ namespace: name, parts: [part] }])) await accept(right);
    for (const object of objects(name, servers)) await accept(object);
  }

  async function end({ name, objects }: Fault): Promise<void> {
    for (const object of objects(name, servers)) {
      if (object.kind === 'Namespace') await accept({ ...object, metadata: { name } });
      else await plane.api.request('DELETE', pathOf(object));
    }
  }

  /** The time until a look gives something, and what it gives. */
  async function timed<T>(
    what: string,
    look: () => Promise<T | undefined>,
  ): Promise<{ readonly found: T; readonly ms: number }> {
    const startedMs = performance.now();
    const found = await eventually(what, async () => {
      const seen = await look();
      if (seen === undefined) await delay(POLL_MS);
      return seen;
    });
    return { found, ms: performance.now() - startedMs };
  }

  async function untilReason(
    name: string,
    reason: string,
  ): Promise<{ readonly found: OperatorStatus; readonly ms: number }> {
    return timed(`${name} says ${reason}`, async () => {
      const resource = await resources.read(name);
      const status = storedStatus(resource);
      const isCurrent = resource !== undefined && status?.observedGeneration === generationOf(resource);
      return isCurrent && Resources.reasonOf(status) === reason ? status : undefined;
    });
  }

  /** Deletes a resource and tells how long it takes to go. */
  async function deletion(name: string): Promise<number> {
    await resources.delete(name);
    const { ms } = await timed(`${name} is gone`, async () =>
      (await resources.read(name)) === undefined ? true : undefined,
    );
    return ms;
  }

  async function untilAvailable(name: string): Promise<void> {
    const metadata = { name, namespace: NAMESPACE };
    await timed(`${name} is available`, async () => {
      const found = await readObject(plane, { apiVersion: 'apps/v1', kind: 'Deployment', metadata });
      return numberAt(found, 'status', 'availableReplicas');
    });
  }

  async function live(fault: Fault): Promise<Life> {
    const { name } = fault;
    const twin = `${name}-twin`;
    await resources.apply(name, fault.spec?.(name) ?? gateways(name));
    const { found: told, ms: toldMs } = await untilReason(name, fault.reason);
    if (fault.spec !== undefined) {
      await end(fault);
      return { told, toldMs, healed: (await untilReason(name, 'Installed')).found };
    }
    await untilAvailable(`beside-${name}`);
    await untilAvailable(`exit-${name}`);
    const components = { ingressGateways: [gateway(twin, name)] };
    await resources.apply(twin, { profile: 'empty', components });
    await untilReason(twin, fault.reason);
    const twinGoneMs = await deletion(twin);
    await end(fault);
    return { told, toldMs, twinGoneMs, healed: (await untilReason(name, 'Installed')).found };
  }

  /** Some lives at once, and the next as soon as one is over: all together would only slow the servers down. */
  function liveInTurns(): ReadonlyMap<string, Promise<Life>> {
    const turns = FAULTS.map((fault) => ({ fault, life: Promise.withResolvers<Life>() }));
    const queue = turns.values();
    const work = async (): Promise<void> => {
      for (const { fault, life } of queue) await live(fault).then(life.resolve, life.reject);
    };
    for (const { life } of turns) life.promise.catch(() => undefined); // its test tells
    for (let count = 0; count < LIVES_AT_ONCE; count += 1) void work();
    return new Map(turns.map(({ fault, life }) => [fault.name, life.promise]));
  }

  describe('something in one namespace', () => {
    let lives: ReturnType<typeof liveInTurns>;

    before(async () => {
      await Promise.all(FAULTS.map(bringAbout));
      await delay(IN_FORCE_MS);
      lives = liveInTurns();
    });

    for (const { name, says, reason, message } of FAULTS) {
      it(`names ${says}, goes on with the rest, lets go meanwhile, and heals by itself`, async () => {
        const life = await lives.get(name);

        expect(life?.told.message).to.match(message);
        expect(life?.toldMs, `until it said ${reason}`).to.be.lessThan(LIMIT_MS);
        expect(life?.twinGoneMs ?? 0, 'until a deleted one was gone').to.be.lessThan(LIMIT_MS);
        expect(life?.healed.observedGeneration).to.equal(1);
      });
    }
  });

  it('names the right that was taken away, goes on with the rest, and heals once it is back', async () => {
    const name = 'no-right';
    const change = { podAnnotations: { 'example.com/change': '2' } };
    const changed = (app: string, namespace: string): JsonObject => ({
      ...gateway(app, namespace),
      k8s: change,
    });
    const rights = openedNamespaces([{ namespace: name, parts: ['gateways'] }]);
    await accept({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const right of rights) await accept(right);
    await resources.apply(name, gateways(name));
    await untilReason(name, 'Installed');

    for (const right of rights) await plane.api.request('DELETE', pathOf(right));
    await delay(IN_FORCE_MS);
    await resources.apply(name, {
      profile: 'empty',
      components: {
        ingressGateways: [changed(`edge-${name}`, name), changed(`beside-${name}`, NAMESPACE)],
        egressGateways: [gateway(`exit-${name}`, NAMESPACE)],
      },
    });
    const { found: told, ms: toldMs } = await untilReason(name, 'InsufficientPermissions');
    await timed('the gateway beside it is changed', async () => {
      const metadata = { name: `beside-${name}`, namespace: NAMESPACE };
      const found = await readObject(plane, { apiVersion: 'apps/v1', kind: 'Deployment', metadata });
      return stringAt(found, 'spec', 'template', 'metadata', 'annotations', 'example.com/change');
    });
    for (const right of rights) await accept(right);
    const { found: healed } = await untilReason(name, 'Installed');

    expect(told.message).to.match(/Deployment no-right\/edge-no-right: .*cannot patch resource/);
    expect(toldMs).to.be.lessThan(LIMIT_MS);
    expect(healed.observedGeneration).to.equal(2);
  });

  describe("with Istio's own validator", () => {
    // Their gateways would keep the control plane from being deleted.
    before(async () => resources.clear());

    const mesh = (sampling: number): JsonObject => ({
      profile: 'minimal',
      addonComponents: { tracing: { enabled: true, sampling } },
    });

    /** As istiod does once it runs; no istiod answers here. */
    async function setFailurePolicy(failurePolicy: string): Promise<void> {
      const ref = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'istio-validator-istio-system' },
      };
      const hooks = listAt(await readObject(plane, ref), 'webhooks');
      const webhooks = hooks.map((hook) => ({ ...mapAt(hook), failurePolicy, timeoutSeconds: 1 }));
      const path = `${pathOf(ref)}?fieldManager=pilot-discovery`;
      const { status } = await plane.api.request('PATCH', path, { webhooks }, 'application/merge-patch+json');
      expect(status).to.equal(200);
      await delay(IN_FORCE_MS);
    }

    it('names what a dead istiod keeps from being written, heals, and deletes the mesh all the same', async () => {
      await resources.apply('mesh', mesh(10));
      await untilReason('mesh', 'Installed');

      await setFailurePolicy('Fail');
      await resources.apply('mesh', mesh(20));
      const { found: told, ms: toldMs } = await untilReason('mesh', 'WebhookUnavailable');
      await setFailurePolicy('Ignore');
      const { found: healed } = await untilReason('mesh', 'Installed');
      await setFailurePolicy('Fail');
      const goneMs = await deletion('mesh');

      expect(told.message).to.match(/Telemetry istio-system\/.*failed calling webhook "/);
      expect(told.componentStatus['Pilot']?.status).to.equal('HEALTHY');
      expect(toldMs).to.be.lessThan(LIMIT_MS);
      expect(healed.observedGeneration).to.equal(2);
      expect(goneMs).to.be.lessThan(LIMIT_MS);
    });
  });

  it('goes on by itself when the API server was away in the middle of its work', async () => {
    await resources.apply('away', {
      profile: 'empty',
      components: { egressGateways: [gateway('away', NAMESPACE)] },
    });
    await plane.restartApiServer('SIGKILL');
    const { ms } = await untilReason('away', 'Installed');

    expect(ms).to.be.lessThan(LIMIT_MS);
    expect(operator.ready()).to.equal(true);
  });
});
