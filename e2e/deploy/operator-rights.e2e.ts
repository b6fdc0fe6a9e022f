/** The operator at work with no more than the rights that deploy/ gives it. */
import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import { operatorObjects } from '../../src/cli/operator-objects.ts';
import { ADMISSION_POLICIES } from '../../src/controller/admission-guard.ts';
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
    for (const object of await deployedObjects()) await accept(plane, object);
    resources = new Resources(plane, 'istio-system');
    await resources.prepare();
    operator = await startOperator({ ...plane, kubeconfigPath: await operatorKubeconfig(plane) });
  });

  after(async () => {
    await operator.stop();
    await plane.stop();
  });

  it('sees that the admission policies are in force', async () => {
    await eventually('it has looked at all of them', async () => {
      const told = await operator.metrics();
      return ADMISSION_POLICIES.every((policy) => told.includes(`policy="${policy}"`));
    });

    const metrics = await operator.metrics();
    for (const policy of ADMISSION_POLICIES)
      expect(metrics).to.contain(`istio_operator_admission_policy_in_force{policy="${policy}"} 1\n`);
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
    for (const definition of MONITORING_DEFINITIONS) await accept(plane, definition);
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
    for (const object of sample.filter(({ kind }) => kind !== 'IstioOperator')) await accept(plane, object);
    const granted = await resources.until('canary', 'HEALTHY');
    await resources.clear();

    expect(refused.message).to.contain('ClusterRole istio-reader-clusterrole-canary-istio-system');
    expect(granted.revision).to.equal('canary');
  });
});

describe('the operator of a revision with the rights of init --revision', () => {
  let plane: ControlPlane;
  let operator: OperatorUnderTest;
  let resources: Resources;

  before(async () => {
    plane = await startControlPlane();
    const choices = { revision: 'blue', watchedNamespaces: [], imagePullSecrets: [] };
    for (const object of operatorObjects(await loadAssets(), choices)) await accept(plane, object);
    resources = new Resources(plane, 'istio-system');
    await resources.prepare();
    const kubeconfigPath = await operatorKubeconfig(plane, 'istio-operator-blue');
    operator = await startOperator({ ...plane, kubeconfigPath }, { revision: 'blue' });
  });

  after(async () => {
    await operator.stop();
    await plane.stop();
  });

  it('installs its revision, makes it the default, and removes it again', async () => {
    const values = { revisionTags: ['default'] };

    await resources.apply('blue', { profile: 'default', revision: 'blue', values });
    const installed = await resources.until('blue', 'HEALTHY');
    await resources.clear();

    expect(installed.revision).to.equal('blue');
    expect(operator.complaints).to.deep.equal([]);
  });
});

async function accept(plane: ControlPlane, object: K8sObject): Promise<void> {
  const { status, body } = await apply(plane.api, object);
  expect(status, `${displayRef(refOf(object))}: ${stringAt(body, 'message')}`).to.be.oneOf([200, 201]);
}
