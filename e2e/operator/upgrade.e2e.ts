/** One resource through several release lines, on a real API server. */
import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, listAt, numberAt } from '../../src/model/json.ts';
import type { GroupVersionKind, K8sObject } from '../../src/model/object.ts';
import { labelsOf, uidOf } from '../../src/model/object.ts';
import { connectTo } from '../cluster/connection.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { writesOf } from './audit-log.ts';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { startOperator } from './operator-under-test.ts';
import { eventually, readObject, Resources } from './resources.ts';

const NAMESPACE = 'istio-system';
const NODE = '/api/v1/nodes/fake-node';
const SERVICES = ['istiod', 'istio-ingressgateway', 'istio-egressgateway'];

function object(apiVersion: string, kind: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE } };
}

const ISTIOD = object('apps/v1', 'Deployment', 'istiod');
const DEPLOYMENTS: GroupVersionKind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const GATEWAY = object('apps/v1', 'Deployment', 'istio-ingressgateway');

/** A demo with an overlay on istiod; without a tag it does not say which version. */
function demo(tag?: string): JsonObject {
  const overlay = {
    kind: 'Deployment',
    name: 'istiod',
    patches: [{ path: 'spec.template.metadata.annotations.team', value: 'mesh' }],
  };
  return {
    profile: 'demo',
    ...(tag === undefined ? {} : { tag }),
    components: { pilot: { k8s: { overlays: [overlay] } } },
  };
}

describe('an upgrade in place', () => {
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

  afterEach(async () => {
    await resources.clear();
    await operator.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  async function read(ref: K8sObject): Promise<K8sObject> {
    return eventually(`${ref.metadata.name} is there`, async () => readObject(plane, ref));
  }

  /** What must survive: who a Service is, and by which ports nodes reach it. */
  async function serviceIdentities(): Promise<readonly JsonValue[]> {
    const services = await Promise.all(SERVICES.map(async (name) => read(object('v1', 'Service', name))));
    return services.map((service) => [
      uidOf(service) ?? '',
      at(service, 'spec', 'clusterIP') ?? '',
      listAt(service, 'spec', 'ports').map((port) => at(port, 'nodePort') ?? null),
    ]);
  }

  async function imageTag(ref: K8sObject): Promise<string | undefined> {
    const image = at(await read(ref), 'spec', 'template', 'spec', 'containers', 0, 'image');
    return typeof image === 'string' ? image.split(':').at(-1) : undefined;
  }

  async function installed(tag?: string): Promise<string | undefined> {
    await resources.apply('demo', demo(tag));
    return (await resources.until('demo', 'HEALTHY')).version;
  }

  async function cordon(unschedulable: boolean): Promise<void> {
    const type = 'application/merge-patch+json';
    const { status } = await plane.api.request('PATCH', NODE, { spec: { unschedulable } }, type);
    expect(status).to.equal(200);
  }

  it('goes from 1.28 by 1.29 to 1.30: Services keep their identity, overlays stay', async () => {
    await installed('1.28.10');
    const services = await serviceIdentities();

    const versions = [await installed('1.29.6'), await installed('1.30.3')];

    expect(versions).to.deep.equal(['1.29.6', '1.30.3']);
    expect(await serviceIdentities()).to.deep.equal(services);
    const istiod = await read(ISTIOD);
    expect(at(istiod, 'spec', 'template', 'metadata', 'annotations', 'team')).to.equal('mesh');
    expect(labelsOf(istiod)['operator.istio.io/version']).to.equal('1.30.3');
    expect([await imageTag(ISTIOD), await imageTag(GATEWAY)]).to.deep.equal(['1.30.3', '1.30.3']);
    // While definitions change, the API server lets nobody watch their kinds for some seconds.
    const complaints = operator.complaints.filter((text) => !text.includes('storage is (re)initializing'));
    expect(complaints).to.deep.equal([]);
  });

  it('never takes a gateway below its ready replicas, whenever the operator is restarted', async () => {
    await installed('1.29.6');
    const connection = await connectTo(plane);
    const gateways = connection.watches.watch(DEPLOYMENTS, { namespace: NAMESPACE, labelSelector: 'istio' });
    await gateways.synced;
    const deployments = (): readonly string[] =>
      gateways.list().map((deployment) => `${deployment.metadata.name} ${uidOf(deployment)}`);
    const before = deployments();
    const incidents: string[] = [];
    gateways.onChange(({ type, object: { metadata, ...deployment } }) => {
      const ready = numberAt(deployment, 'status', 'readyReplicas') ?? 0;
      if (metadata.name !== 'istiod' && (type === 'deleted' || ready < 1))
        incidents.push(`${type} ${metadata.name}`);
    });

    await resources.apply('demo', demo('1.30.3'));
    for (const ref of [ISTIOD, object('apps/v1', 'Deployment', 'istio-egressgateway'), GATEWAY]) {
      await eventually(
        `${ref.metadata.name} is being changed`,
        async () => (await imageTag(ref)) === '1.30.3',
      );
      await operator.stop();
      operator = await startOperator(plane);
    }
    const { version } = await resources.until('demo', 'HEALTHY');

    expect(version).to.equal('1.30.3');
    expect(incidents).to.deep.equal([]);
    expect(before.map((deployment) => deployment.split(' ')[0])).to.include.members([
      'istio-ingressgateway',
      'istio-egressgateway',
    ]);
    expect(deployments()).to.have.members([...before]);
    await connection.close();
  });

  it('stays on what is installed without a tag, also after the operator is restarted', async () => {
    await installed('1.29.6');

    const version = await installed();
    await operator.stop();
    operator = await startOperator(plane);
    await resources.apply('demo', { ...demo(), meshConfig: { accessLogFile: '/dev/stdout' } });
    const later = await resources.until('demo', 'HEALTHY');

    expect([version, later.version, await imageTag(ISTIOD)]).to.deep.equal(['1.29.6', '1.29.6', '1.29.6']);
  });

  it('does not skip a minor version, and touches nothing, until the annotation insists', async () => {
    await installed('1.28.10');
    const writes = await objectWrites();

    await resources.apply('demo', demo('1.30.3'));
    const refused = await resources.until('demo', 'ERROR');

    expect([Resources.reasonOf(refused), refused.version]).to.deep.equal(['UpgradeRefused', '1.28.10']);
    expect(refused.message).to.include('1.28.10 is installed, and 1.30.3 skips a minor version');
    expect(await objectWrites()).to.equal(writes);

    await resources.apply('demo', demo('1.30.3'), { 'install.istio.io/allow-version-skip': 'true' });
    expect((await resources.until('demo', 'HEALTHY')).version).to.equal('1.30.3');
  });

  it('touches nothing for a line that it does not know', async () => {
    await installed('1.30.3');
    const writes = await objectWrites();

    await resources.apply('demo', demo('1.27.3'));
    const status = await resources.until('demo', 'ERROR');

    expect([Resources.reasonOf(status), status.version]).to.deep.equal(['UnsupportedRelease', '1.30.3']);
    expect(await objectWrites()).to.equal(writes);
  });

  it('stops at an istiod that does not become ready, and recovers when the tag is set back', async () => {
    await installed('1.29.6');
    await cordon(true);
    try {
      await resources.apply('demo', demo('1.30.3'));
      await eventually('istiod is being rolled out', async () => (await imageTag(ISTIOD)) === '1.30.3');
      const during = await resources.until('demo', 'RECONCILING');

      expect(during.componentStatus['IngressGateways']?.version).to.not.equal('1.30.3');
      expect(await imageTag(GATEWAY)).to.equal('1.29.6');
      await operator.stop();
      operator = await startOperator(plane);

      expect(await installed('1.29.6')).to.equal('1.29.6');
      expect(await imageTag(ISTIOD)).to.equal('1.29.6');
    } finally {
      await cordon(false);
    }
  });

  /** How often this operator wrote what is installed. */
  async function objectWrites(): Promise<number> {
    const writes = await writesOf(plane, operator.userAgent);
    return writes.filter(({ resource }) => !/^(istiooperators|events)/u.test(resource)).length;
  }
});
