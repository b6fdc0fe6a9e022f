/** The operator at work with no more than the rights that deploy/ gives it. */
import { expect } from 'chai';
import { mapAt, stringAt } from '../../src/model/json.ts';
import { displayRef, refOf } from '../../src/model/object.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { MONITORING_DEFINITIONS } from '../addons/monitoring-definitions.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { apply, deployedObjects, readObjects } from './manifests.ts';
import { operatorKubeconfig } from './operator-kubeconfig.ts';

describe('the operator with the rights of deploy/', () => {
  let plane: ControlPlane;
  let operator: OperatorUnderTest;
  let resources: Resources;

  before(async () => {
    plane = await startControlPlane();
    for (const object of await deployedObjects()) await accept(object);
    resources = new Resources(plane, 'istio-system');
    await resources.prepare();
    operator = await startOperator({ ...plane, kubeconfigPath: await operatorKubeconfig(plane) });
  });

  after(async () => {
    await operator.stop();
    await plane.stop();
  });

  it('installs the sample and removes it again', async () => {
    const [demo] = await readObjects('samples/demo.yaml');

    await resources.apply('demo', mapAt(demo, 'spec'));
    await resources.until('demo', 'HEALTHY');
    await resources.clear();

    expect(operator.complaints).to.deep.equal([]);
  });

  it('installs the telemetry addons and removes them again', async () => {
    await resources.apply('addons', { profile: 'observability' });
    await resources.until('addons', 'HEALTHY');
    await resources.clear();

    expect(operator.complaints).to.deep.equal([]);
  });

  it('makes monitors for the Prometheus of the cluster and removes them again', async () => {
    const prometheus = { enabled: true, mode: 'monitors' };
    for (const definition of MONITORING_DEFINITIONS) await accept(definition);
    await resources.apply('monitored', { profile: 'minimal', addonComponents: { prometheus } });

    await eventually('the monitors are there', async () => {
      const { componentStatus } = await resources.until('monitored', 'HEALTHY');
      return componentStatus['Prometheus'] !== undefined;
    });
    await resources.clear();

    expect(operator.complaints).to.deep.equal([]);
  });

  it('names the right that a revision lacks, and goes on once it is granted', async () => {
    const sample = await readObjects('samples/canary.yaml');
    const spec = mapAt(
      sample.find(({ kind }) => kind === 'IstioOperator'),
      'spec',
    );

    await resources.apply('canary', spec);
    const refused = await resources.until('canary', 'ERROR');
    for (const object of sample.filter(({ kind }) => kind !== 'IstioOperator')) await accept(object);
    const granted = await resources.until('canary', 'HEALTHY');
    await resources.clear();

    expect(refused.message).to.contain('ClusterRole istio-reader-clusterrole-canary-istio-system');
    expect(granted.revision).to.equal('canary');
  });

  async function accept(object: K8sObject): Promise<void> {
    const { status, body } = await apply(plane.api, object);
    expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
  }
});
