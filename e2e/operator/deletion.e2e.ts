/** Resources that are deleted when it is hardest: each goes soon, or says what keeps it. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { openedNamespaces } from '../../scripts/rights.ts';
import { FINALIZER } from '../../src/controller/finalizer.ts';
import { storedStatus } from '../../src/controller/resource.ts';
import type { JsonArray, JsonObject } from '../../src/model/json.ts';
import { stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { apply, deployedObjects, pathOf } from '../deploy/manifests.ts';
import { operatorKubeconfig } from '../deploy/operator-kubeconfig.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import type { Servers } from './refusal-faults.ts';
import { serveFaults, webhook } from './refusal-faults.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';
/** Within which a resource must be gone, or say why not. */
const LIMIT_MS = 15_000;
const POLL_MS = 100;
/** The API server learns of webhooks and rights by watches of its own. */
const IN_FORCE_MS = 2_000;

function object(apiVersion: string, kind: string, name: string, namespace?: string): K8sObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

/** A gateway, and nothing else, in a namespace of its own. */
function gatewayIn(name: string): JsonObject {
  const gateway = { name, namespace: name, enabled: true, label: { app: name, istio: name } };
  return { profile: 'empty', components: { ingressGateways: [gateway] } };
}

const rightsIn = (namespace: string): readonly K8sObject[] =>
  openedNamespaces([{ namespace, parts: ['gateways'] }]);

describe('the deletion of a resource', () => {
  let plane: ControlPlane;
  let servers: Servers;
  let resources: Resources;
  let kubeconfigPath: string;
  let operator: OperatorUnderTest;

  // A control plane of its own: a namespace that others use is deleted, and so is a definition.
  before(async () => {
    [plane, servers] = await Promise.all([startControlPlane(), serveFaults()]);
    for (const each of await deployedObjects()) await accept(each);
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    kubeconfigPath = await operatorKubeconfig(plane);
    await start();
  });

  after(async () => {
    await operator.stop();
    await servers.close();
    await plane.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  async function start(): Promise<void> {
    operator = await startOperator({ ...plane, kubeconfigPath });
    await eventually('the operator is ready', async () => operator.ready());
  }

  async function accept(each: K8sObject): Promise<void> {
    const { status, body } = await apply(plane.api, each);
    expect(status, `${displayRef(refOf(each))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }

  async function remove(each: K8sObject): Promise<void> {
    await plane.api.request('DELETE', pathOf(each));
  }

  async function timed(what: string, isSo: () => Promise<boolean>): Promise<number> {
    const startedMs = performance.now();
    await eventually(what, async () => {
      if (await isSo()) return true;
      await delay(POLL_MS);
      return false;
    });
    return performance.now() - startedMs;
  }

  async function msUntilGone(each: K8sObject): Promise<number> {
    return timed(
      `${displayRef(refOf(each))} is gone`,
      async () => (await readObject(plane, each)) === undefined,
    );
  }

  async function msUntilDeleted(name: string): Promise<number> {
    return timed(`${name} is gone`, async () => (await resources.read(name)) === undefined);
  }

  /** The message, once the deletion is said to be blocked, and how long that takes. */
  async function untilBlocked(name: string): Promise<{ readonly message: string; readonly ms: number }> {
    let message = '';
    const ms = await timed(`the deletion of ${name} is blocked`, async () => {
      const status = storedStatus(await resources.read(name));
      message = status?.message ?? '';
      return status !== undefined && Resources.reasonOf(status) === 'DeletionBlocked';
    });
    return { message, ms };
  }

  async function installGateway(name: string): Promise<K8sObject> {
    await accept(object('v1', 'Namespace', name));
    for (const right of rightsIn(name)) await accept(right);
    await resources.apply(name, gatewayIn(name));
    await resources.until(name, 'HEALTHY');
    return object('apps/v1', 'Deployment', name, name);
  }

  async function setFinalizers(each: K8sObject, finalizers: JsonArray): Promise<void> {
    const patch = { metadata: { finalizers } };
    const { status } = await plane.api.request('PATCH', pathOf(each), patch, 'application/merge-patch+json');
    expect(status).to.equal(200);
  }

  it('says which right it lacks for which object, and ends once it is granted', async () => {
    const gateway = await installGateway('unrighted');
    for (const right of rightsIn('unrighted')) await remove(right);
    await delay(IN_FORCE_MS);

    await resources.delete('unrighted');
    const { message, ms } = await untilBlocked('unrighted');
    for (const right of rightsIn('unrighted')) await accept(right);
    await msUntilDeleted('unrighted');

    expect(message).to.match(/^Not deleted: .* unrighted\/unrighted.*cannot delete resource .*Grant it/);
    expect(ms).to.be.lessThan(LIMIT_MS);
    expect(await readObject(plane, gateway)).to.equal(undefined);
  });

  it('says which webhook refuses it, deletes the rest meanwhile, and ends once that is away', async () => {
    const gateway = await installGateway('guarded');
    const { url, caBundle } = servers.denying;
    const client = { url, caBundle };
    const guard = webhook('guarded', { client, group: '', resources: ['services'], operations: ['DELETE'] });
    await accept(guard);
    await delay(IN_FORCE_MS);

    await resources.delete('guarded');
    const { message, ms } = await untilBlocked('guarded');
    const rest = await msUntilGone(gateway);
    await remove(guard);
    await msUntilDeleted('guarded');

    expect(message).to.match(
      /^Not deleted: Service guarded\/guarded: Service guarded\/guarded: admission webhook "guard\.example\.com" denied/,
    );
    expect([ms, rest].every((each) => each < LIMIT_MS)).to.equal(true);
  });

  it('needs no valid specification', async () => {
    const gateway = await installGateway('invalid');
    await resources.apply('invalid', { ...gatewayIn('invalid'), profile: 'no-such-profile' });
    await resources.until('invalid', 'ERROR');

    await resources.delete('invalid');
    const ms = await msUntilDeleted('invalid');

    expect(ms).to.be.lessThan(LIMIT_MS);
    expect(await readObject(plane, gateway)).to.equal(undefined);
  });

  it('is finished by the next process when the first one ends half-way', async () => {
    const gateway = await installGateway('half-way');
    const service = object('v1', 'Service', 'half-way', 'half-way');
    await setFinalizers(service, ['example.com/hold']);

    await resources.delete('half-way');
    await msUntilGone(gateway);
    await operator.stop();
    await start();
    const held = /waiting for Service half-way\/half-way: .*finalizer example\.com\/hold/;
    await timed('it says what is held', async () => {
      const status = storedStatus(await resources.read('half-way'));
      return held.test(status?.message ?? '');
    });
    await setFinalizers(service, []);
    const ms = await msUntilDeleted('half-way');

    expect(ms).to.be.lessThan(LIMIT_MS);
    expect(await readObject(plane, service)).to.equal(undefined);
  });

  it('says what another operator installed for the resource, and how to be rid of it', async () => {
    const labels = {
      'operator.istio.io/managed': 'Reconcile',
      'operator.istio.io/version': '1.23.4',
      'operator.istio.io/component': 'Pilot',
      'install.operator.istio.io/owning-resource': 'former',
      'install.operator.istio.io/owning-resource-namespace': NAMESPACE,
    };
    const account = object('v1', 'ServiceAccount', 'istiod', NAMESPACE);
    const former = { ...account, metadata: { ...account.metadata, labels } };
    await apply(plane.api, former, '', 'istio-operator');
    const resource = object('install.istio.io/v1alpha1', 'IstioOperator', 'former', NAMESPACE);
    const finalizers = [FINALIZER];
    await accept({ ...resource, metadata: { ...resource.metadata, finalizers }, spec: { tag: '1.23.4' } });
    const refused = await resources.until('former', 'ERROR');

    await resources.delete('former');
    const ms = await msUntilDeleted('former');
    await eventually('the event is there', async () => (await resources.eventsOf('former')).some(isDeleted));
    const events = (await resources.eventsOf('former')).filter(isDeleted);

    expect(Resources.reasonOf(refused)).to.equal('UnsupportedRelease');
    expect(ms).to.be.lessThan(LIMIT_MS);
    expect(events).to.have.length(1);
    expect(events[0]).to.match(
      /^Deleted: 1 object with its labels stays, such as ServiceAccount istio-system\/istiod: another operator/,
    );
    expect(await readObject(plane, former)).not.to.equal(undefined);
    await remove(former);
  });

  // The last two take away what the others need.
  it('does not need the definition of a kind of which it installed something', async () => {
    await resources.apply('mesh', { profile: 'minimal', addonComponents: { tracing: { enabled: true } } });
    await resources.until('mesh', 'HEALTHY');
    await operator.stop(); // it would make the definition again
    const telemetries = object(
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      'telemetries.telemetry.istio.io',
    );
    await remove(telemetries);
    await msUntilGone(telemetries);

    await resources.delete('mesh');
    await start();
    const ms = await msUntilDeleted('mesh');

    expect(ms).to.be.lessThan(LIMIT_MS);
    expect(await readObject(plane, object('apps/v1', 'Deployment', 'istiod', NAMESPACE))).to.equal(undefined);
  });

  it('does not keep the namespace of resource and mesh from going', async () => {
    await resources.apply('mesh', { profile: 'demo' });
    const { inventory } = await resources.until('mesh', 'HEALTHY');
    const namespace = object('v1', 'Namespace', NAMESPACE);

    await remove(namespace);
    const ms = await msUntilDeleted('mesh');
    // The rest is up to the namespace controller, which waits for pods longer than we do.
    await msUntilGone(namespace);
    const left: string[] = [];
    for (const entry of inventory) {
      const { apiVersion, kind, name } = entry;
      const there = await readObject(plane, object(apiVersion, kind, name, entry.namespace));
      if (there !== undefined) left.push(displayRef(entry));
    }

    expect(left).to.deep.equal([]);
    expect(ms).to.be.lessThan(LIMIT_MS);
  });
});

function isDeleted(event: string): boolean {
  return event.startsWith('Deleted: ');
}
