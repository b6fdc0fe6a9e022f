/** The operator on a real API server: what users do with it, and what happens to it meanwhile. */
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import { at, listAt, mapAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { labelsOf } from '../../src/model/object.ts';
import { FINALIZER } from '../../src/controller/finalizer.ts';
import { finalizersOf } from '../../src/controller/resource.ts';
import { OWNED_KINDS, OWNER_NAME_LABEL, ownedSelector } from '../../src/controller/watch-table.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { pathOf, readObjects } from '../deploy/manifests.ts';
import type { Write } from './audit-log.ts';
import { writesOf } from './audit-log.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';

function object(apiVersion: string, kind: string, name: string, namespace = NAMESPACE): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace } };
}

const ISTIOD = object('apps/v1', 'Deployment', 'istiod');
const ISTIOD_SERVICE = object('v1', 'Service', 'istiod');
const GATEWAY = object('apps/v1', 'Deployment', 'istio-ingressgateway');
const GATEWAY_HPA = object('autoscaling/v2', 'HorizontalPodAutoscaler', 'istiod');
const NODE = '/api/v1/nodes/fake-node';

/** Writes to what is installed: not to our own resource. */
function toObjects(writes: readonly Write[]): readonly Write[] {
  return writes.filter(
    (write) => !write.resource.startsWith('istiooperators') && write.resource !== 'events',
  );
}

describe('the operator', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
  });

  beforeEach(async () => {
    operator = await startOperator(plane);
  });

  afterEach(async function explainFailure() {
    if (this.currentTest?.state === 'failed')
      console.error(operator.ready(), operator.complaints, await operator.metrics());
  });

  afterEach(async () => {
    await resources.clear();
    await operator.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  async function read(ref: K8sObject): Promise<K8sObject> {
    return eventually(`${pathOf(ref)} is there`, async () => readObject(plane, ref));
  }

  async function patch(path: string, body: JsonObject, manager = 'kubectl-edit'): Promise<void> {
    const query = `?fieldManager=${manager}`;
    const { status } = await plane.api.request(
      'PATCH',
      `${path}${query}`,
      body,
      'application/merge-patch+json',
    );
    expect(status, path).to.equal(200);
  }

  /** Everything in the cluster that says it was installed by that resource, but for definitions. */
  async function installed(owner: string): Promise<readonly string[]> {
    const kinds = OWNED_KINDS.filter(
      ({ kind }) => kind !== 'CustomResourceDefinition' && kind !== 'NetworkAttachmentDefinition',
    );
    const found = await Promise.all(
      kinds.map(async ({ apiVersion, kind }) => {
        const collection = pathOf({ apiVersion, kind, metadata: { name: '' } });
        const selector = encodeURIComponent(
          `${ownedSelector({ apiVersion, kind })},${OWNER_NAME_LABEL}=${owner}`,
        );
        const { body } = await plane.api.request('GET', `${collection}?labelSelector=${selector}`);
        return listAt(body, 'items').map((item) => `${kind} ${stringAt(item, 'metadata', 'name') ?? ''}`);
      }),
    );
    return found.flat();
  }

  async function applySample(): Promise<void> {
    const [sample] = await readObjects('samples/demo.yaml');
    await resources.apply('demo', mapAt(sample, 'spec'));
  }

  describe('with the demo sample', () => {
    it('installs everything, with what the resource asks for, and says so truthfully', async () => {
      await applySample();

      const status = await resources.until('demo', 'HEALTHY');
      const requests = listAt(await read(GATEWAY), 'spec', 'template', 'spec', 'containers').map(
        (container) => at(container, 'resources', 'requests'),
      );

      expect(requests).to.deep.equal([{ cpu: '100m', memory: '400Mi' }]);
      expect([status.profile, status.revision, status.version]).to.deep.equal(['demo', 'default', '1.30.3']);
      expect(Object.entries(status.componentStatus)).to.have.deep.members(
        ['Base', 'Pilot', 'IngressGateways', 'EgressGateways'].map((name) => [
          name,
          { status: 'HEALTHY', version: '1.30.3' },
        ]),
      );
      expect(status.inventory).to.have.length((await installed('demo')).length);
      expect(await resources.eventsOf('demo')).to.include(
        'Installed: Istio 1.30.3 (profile demo) is installed and ready',
      );
      expect(operator.complaints).to.deep.equal([]);
    });

    it('writes each object once and then nothing, also after a restart and when it looks again', async () => {
      await applySample();
      const { inventory } = await resources.until('demo', 'HEALTHY');
      const once = toObjects(await writesOf(plane, operator.userAgent));

      await operator.stop();
      operator = await startOperator(plane);
      await eventually('the restarted operator has looked', hasReconciled);
      await patch(pathOf(ISTIOD_SERVICE), {
        metadata: { annotations: { 'example.com/note': String(performance.now()) } },
      });
      await eventually('the operator has looked again', async () => (await reconciles()) >= 2);

      const names = once.map(({ verb, resource, name }) => `${verb} ${resource}/${name}`);
      expect(new Set(names).size).to.equal(names.length);
      expect(names.length).to.be.at.least(inventory.length);
      expect(await writesOf(plane, operator.userAgent)).to.deep.equal([]);
    });

    it('removes all that it installed and nothing else', async () => {
      await applySample();
      await resources.until('demo', 'HEALTHY');
      const before = await installed('demo');

      await resources.delete('demo');
      await resources.untilGone('demo');

      const crds = await plane.api.request(
        'GET',
        '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io',
      );
      const namespace = await plane.api.request('GET', `/api/v1/namespaces/${NAMESPACE}`);
      expect(before.length).to.be.greaterThan(25);
      expect(await installed('demo')).to.deep.equal([]);
      expect([crds.status, at(namespace.body, 'status', 'phase')]).to.deep.equal([200, 'Active']);
    });
  });

  async function reconciles(): Promise<number> {
    const [, total = '0'] =
      /reconcile_total\{[^}]*result="success"\} (\d+)/.exec(await operator.metrics()) ?? [];
    return Number(total);
  }

  async function hasReconciled(): Promise<boolean> {
    return (await reconciles()) > 0;
  }

  describe('with a control plane', () => {
    beforeEach(async () => {
      await resources.apply('mesh', { profile: 'minimal' });
      await resources.until('mesh', 'HEALTHY');
    });

    it('holds the resource by its finalizer', async () => {
      const resource = await resources.read('mesh');

      expect(finalizersOf(resource ?? ISTIOD)).to.deep.equal([FINALIZER]);
    });

    it('rolls out a change, and shows the generation that it has looked at', async () => {
      await resources.apply('mesh', { profile: 'minimal', meshConfig: { accessLogFile: '/dev/stdout' } });

      const status = await resources.until('mesh', 'HEALTHY');
      const config = await read(object('v1', 'ConfigMap', 'istio'));

      expect(status.observedGeneration).to.equal(2);
      expect(at(config, 'data', 'mesh')).to.contain('accessLogFile: /dev/stdout');
      expect(await resources.eventsOf('mesh')).to.include(
        'Updated: Istio 1.30.3 (profile minimal) is up to date and ready',
      );
    });

    it('prunes what the resource does not ask for any more', async () => {
      await resources.apply('mesh', { profile: 'minimal', values: { pilot: { autoscaleEnabled: false } } });
      await resources.until('mesh', 'HEALTHY');

      expect(await readObject(plane, GATEWAY_HPA)).to.equal(undefined);
    });

    for (const deleted of [ISTIOD, ISTIOD_SERVICE, GATEWAY_HPA, object('v1', 'ConfigMap', 'istio')]) {
      it(`makes a deleted ${deleted.kind} again`, async () => {
        const { metadata } = await read(deleted);

        await plane.api.request('DELETE', pathOf(deleted));
        await eventually('another one is there', async () => {
          const now = await readObject(plane, deleted);
          return now !== undefined && now.metadata['uid'] !== metadata['uid'];
        });

        const note = `DriftRepaired: created ${deleted.kind} ${NAMESPACE}/${deleted.metadata.name}`;
        await eventually('the event is there', async () => (await resources.eventsOf('mesh')).includes(note));
        await resources.until('mesh', 'HEALTHY');
      });
    }

    it('puts back an edited field and names who had edited it', async () => {
      const ports = listAt(await read(ISTIOD_SERVICE), 'spec', 'ports');
      const edited = ports.map((port) =>
        at(port, 'port') === 443 ? { ...mapAt(port), targetPort: 1 } : port,
      );

      await patch(pathOf(ISTIOD_SERVICE), { spec: { ports: edited } });

      await eventually('the port is as before', async () => {
        const now = listAt(await readObject(plane, ISTIOD_SERVICE), 'spec', 'ports');
        return now.every((port) => at(port, 'targetPort') !== 1);
      });
      const note =
        /^DriftRepaired: configured Service istio-system\/istiod: .*targetPort.* \(changed by kubectl-edit\)$/;
      await eventually('the event is there', async () =>
        (await resources.eventsOf('mesh')).some((event) => note.test(event)),
      );
      await resources.until('mesh', 'HEALTHY');
    });

    it('leaves HEALTHY while a replica is missing and returns when it is back', async () => {
      await patch(NODE, { spec: { unschedulable: true } });
      try {
        await plane.api.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app%3Distiod`);
        const lost = await resources.until('mesh', 'RECONCILING');

        expect(Resources.reasonOf(lost)).to.equal('Recovering');
        expect(lost.message).to.match(/^Waiting for Pilot: Deployment istio-system\/istiod: /);
      } finally {
        await patch(NODE, { spec: { unschedulable: false } });
      }
      await resources.until('mesh', 'HEALTHY');
      await eventually('the event is there', async () =>
        (await resources.eventsOf('mesh')).some((event) => event.startsWith('Recovered')),
      );
    });

    it('keeps its hands off while it is paused, and goes on afterwards', async () => {
      await resources.apply('mesh', { profile: 'minimal' }, { 'install.istio.io/ignoreReconcile': 'true' });
      const paused = await resources.until('mesh', 'NONE');
      await plane.api.request('DELETE', pathOf(GATEWAY_HPA));
      const during = await readObject(plane, GATEWAY_HPA);

      await resources.apply('mesh', { profile: 'minimal' });
      await resources.until('mesh', 'HEALTHY');

      expect([Resources.reasonOf(paused), during]).to.deep.equal(['Paused', undefined]);
      expect(await readObject(plane, GATEWAY_HPA)).to.not.equal(undefined);
    });

    it('leaves everything when the deletion policy is Orphan', async () => {
      await resources.apply('mesh', { profile: 'minimal' }, { 'install.istio.io/deletion-policy': 'Orphan' });
      const before = await installed('mesh');

      await resources.delete('mesh');
      await resources.untilGone('mesh');

      expect(await installed('mesh')).to.deep.equal(before);
      // The next resource of that name takes over what was left, and removes it in the end.
      await resources.apply('mesh', { profile: 'minimal' });
      await resources.until('mesh', 'HEALTHY');
    });

    it('recovers what was changed and deleted while it was away', async () => {
      await operator.stop();
      await plane.api.request('DELETE', pathOf(ISTIOD_SERVICE));
      await patch(pathOf(ISTIOD), { spec: { template: { spec: { serviceAccountName: 'other' } } } });

      operator = await startOperator(plane);
      await read(ISTIOD_SERVICE);
      await eventually('the account is as before', async () => {
        const now = await readObject(plane, ISTIOD);
        return at(now, 'spec', 'template', 'spec', 'serviceAccountName') === 'istiod';
      });
      await resources.until('mesh', 'HEALTHY');
    });

    it('goes on after a crash of the API server', async () => {
      await plane.restartApiServer('SIGKILL');

      await plane.api.request('DELETE', pathOf(ISTIOD_SERVICE));
      await read(ISTIOD_SERVICE);
      await resources.apply('mesh', { profile: 'minimal', meshConfig: { accessLogFile: '/dev/stdout' } });

      expect((await resources.until('mesh', 'HEALTHY')).observedGeneration).to.equal(2);
    });

    it('deletes after a restart what it installed before', async () => {
      await operator.stop();
      await resources.delete('mesh');
      operator = await startOperator(plane);

      await resources.untilGone('mesh');

      expect(await installed('mesh')).to.deep.equal([]);
    });
  });

  it('finishes an installation that another process began, and creates nothing twice', async () => {
    await applySample();
    await eventually('the installation has begun', async () => readObject(plane, ISTIOD_SERVICE));
    await operator.stop();
    const first = operator;

    operator = await startOperator(plane);
    await resources.until('demo', 'HEALTHY');

    const writes = [
      ...(await writesOf(plane, first.userAgent)),
      ...(await writesOf(plane, operator.userAgent)),
    ];
    const created = toObjects(writes)
      .filter((write) => write.code === 201)
      .map(({ resource, name }) => `${resource}/${name}`);
    expect(new Set(created).size).to.equal(created.length);
    expect((await writesOf(plane, operator.userAgent)).length).to.be.greaterThan(0);
  });

  it('reports a bad resource beside a good one, and installs it when it is corrected', async () => {
    await resources.apply('bad', { profile: 'dmeo' });
    await resources.apply('good', { profile: 'empty', components: { base: { enabled: true } } });

    const bad = await resources.until('bad', 'ERROR');
    const good = await resources.until('good', 'HEALTHY');
    await resources.delete('good');
    await resources.untilGone('good');
    await resources.apply('bad', { profile: 'minimal' });
    const corrected = await resources.until('bad', 'HEALTHY');

    expect(Resources.reasonOf(bad)).to.equal('InvalidSpec');
    expect(bad.message).to.match(/spec\.profile: .*"dmeo".* demo/);
    expect(good.observedGeneration).to.equal(1);
    expect(corrected.observedGeneration).to.equal(2);
  });

  it('says what does not start and why, and takes the correction at once', async () => {
    const nowhere = { components: { pilot: { k8s: { nodeSelector: { 'example.com/nowhere': 'true' } } } } };
    await operator.stop();
    operator = await startOperator(plane, { readinessTimeoutMs: 1_500 });
    await resources.apply('mesh', { profile: 'demo', ...nowhere });

    const stuck = await resources.until('mesh', 'ERROR');
    const gateway = await readObject(plane, GATEWAY);
    const startedMs = performance.now();
    await resources.apply('mesh', { profile: 'demo' });
    await resources.until('mesh', 'HEALTHY');

    expect(Resources.reasonOf(stuck)).to.equal('NotReady');
    expect(stuck.message)
      .to.contain('Deployment istio-system/istiod')
      .and.to.contain('kubectl describe deployment istiod');
    expect(stuck.componentStatus['Pilot']?.error).to.contain('Unschedulable');
    expect(gateway, 'a gateway before its control plane').to.equal(undefined);
    expect(performance.now() - startedMs).to.be.lessThan(20_000);
  });

  it('lets two revisions share what belongs to no revision, also when the first one goes', async () => {
    const account = object('v1', 'ServiceAccount', 'istio-reader-service-account');
    await resources.apply('stable', { profile: 'minimal' });
    await resources.until('stable', 'HEALTHY');
    await resources.apply('canary', { profile: 'minimal', revision: 'canary' });
    await resources.until('canary', 'HEALTHY');
    const before = await read(account);

    await resources.delete('stable');
    await resources.untilGone('stable');
    await eventually('the account has a new owner', async () => {
      const now = await readObject(plane, account);
      return labelsOf(now ?? account)[OWNER_NAME_LABEL] === 'canary';
    });
    await resources.until('canary', 'HEALTHY');

    expect((await read(account)).metadata['uid']).to.equal(before.metadata['uid']);
    expect(await readObject(plane, ISTIOD)).to.equal(undefined);
  });

  it('refuses a second claimant of the same objects, and names the first', async () => {
    await resources.apply('first', { profile: 'minimal' });
    await resources.until('first', 'HEALTHY');
    await resources.apply('second', { profile: 'minimal' });
    const refused = await resources.until('second', 'ERROR');

    await resources.delete('first');
    await resources.untilGone('first');
    await resources.until('second', 'HEALTHY');

    expect(Resources.reasonOf(refused)).to.equal('Contested');
    expect(refused.message).to.contain('belongs to IstioOperator istio-system/first');
  });

  it('serves two resources side by side', async () => {
    const elsewhere = 'operator-e2e-edge';
    await plane.api.request('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: elsewhere },
    });
    await resources.apply('mesh', { profile: 'minimal' });
    await resources.apply('edge', {
      profile: 'empty',
      components: {
        ingressGateways: [
          { name: 'edge', namespace: elsewhere, enabled: true, label: { app: 'edge', istio: 'edge' } },
        ],
      },
    });
    await resources.until('mesh', 'HEALTHY');
    await resources.until('edge', 'HEALTHY');

    await resources.delete('edge');
    await resources.untilGone('edge');

    expect(await readObject(plane, object('apps/v1', 'Deployment', 'edge', elsewhere))).to.equal(undefined);
    expect(await readObject(plane, ISTIOD)).to.not.equal(undefined);
    await plane.api.request('DELETE', `/api/v1/namespaces/${elsewhere}`);
  });
});
