/** The telemetry addons on a real API server, installed by the operator as a user asks for them. */
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import { at } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { readObject, Resources } from '../operator/resources.ts';

const NAMESPACE = 'istio-system';
const ADDONS = ['prometheus', 'grafana', 'kiali', 'tracing', 'loki'];

function object(apiVersion: string, kind: string, name: string): K8sObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE } };
}

/** The cluster of the tests provides no volumes by itself. */
const VOLUMES = '/api/v1/persistentvolumes';
const STORAGE_CLASS = 'addons-e2e';
const VOLUME: JsonObject = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: STORAGE_CLASS },
  spec: {
    storageClassName: STORAGE_CLASS,
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/nowhere' },
  },
};

const CLAIM = object('v1', 'PersistentVolumeClaim', 'prometheus');

function specWith(addonComponents: JsonObject): JsonObject {
  return { profile: 'minimal', addonComponents };
}

const ALL_ON = specWith(Object.fromEntries(ADDONS.map((name) => [name, { enabled: true }])));

describe('telemetry addons on a cluster', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let operator: OperatorUnderTest;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
    operator = await startOperator(plane);
  });

  after(async () => {
    await resources.clear();
    await operator.stop();
    await plane.api.request('DELETE', `${VOLUMES}/${STORAGE_CLASS}`);
  });

  it('are accepted, become ready and appear in the status', async () => {
    await resources.apply('addons', ALL_ON);

    const status = await resources.until('addons', 'HEALTHY');

    const healthy = { status: 'HEALTHY', version: '1.30.3' };
    expect(status.componentStatus).to.deep.include({
      Prometheus: healthy,
      Grafana: healthy,
      Kiali: healthy,
      Tracing: healthy,
      Loki: healthy,
    });
    const telemetry = await readObject(plane, object('telemetry.istio.io/v1', 'Telemetry', 'istio-addons'));
    expect(at(telemetry, 'spec', 'tracing')).to.deep.equal([
      { providers: [{ name: 'istio-addon-tracing' }] },
    ]);
    expect(operator.complaints).to.deep.equal([]);
  });

  it('are pruned when they are switched off, but for the volume with their data', async () => {
    const kept = { prometheus: { enabled: true, storage: { size: '1Gi', className: STORAGE_CLASS } } };
    await plane.api.request('POST', VOLUMES, VOLUME);
    await resources.apply('addons', specWith(kept));
    await resources.until('addons', 'HEALTHY');

    await resources.apply('addons', specWith({ prometheus: { enabled: false } }));
    const status = await resources.until('addons', 'HEALTHY');

    const left = await Promise.all(
      ['prometheus', 'grafana', 'kiali', 'jaeger', 'loki', 'access-log-collector'].map((name) =>
        readObject(plane, object('apps/v1', 'Deployment', name)),
      ),
    );
    expect(left.filter((found) => found !== undefined)).to.deep.equal([]);
    expect(await readObject(plane, CLAIM)).not.to.equal(undefined);
    expect(status.componentStatus).to.have.keys('Base', 'Pilot');
  });
});
