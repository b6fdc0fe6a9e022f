/** Monitors for the Prometheus of a cluster, on a real API server whose definitions come and go. */
import { expect } from 'chai';
import { conditionOf } from '../../src/controller/resource.ts';
import { listAt, stringAt } from '../../src/model/json.ts';
import type { OperatorStatus } from '../../src/model/status.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { apply, pathOf } from '../deploy/manifests.ts';
import { startOperator } from '../operator/operator-under-test.ts';
import type { OperatorUnderTest } from '../operator/operator-under-test.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { MONITORING_DEFINITIONS } from './monitoring-definitions.ts';

const NAMESPACE = 'istio-system';
const IMAGES = ['pilot', 'proxyv2'].map((name) => `registry.istio.io/release/${name}:1.30.3`);
const SPEC = {
  profile: 'minimal',
  addonComponents: { prometheus: { enabled: true, mode: 'monitors', monitorLabels: { release: 'stack' } } },
};

describe('monitors for the Prometheus of a cluster', () => {
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
    for (const definition of MONITORING_DEFINITIONS) await plane.api.request('DELETE', pathOf(definition));
  });

  /** The status once it is ready and says, or says no longer, that kinds are missing. */
  async function settled(missing: boolean): Promise<OperatorStatus> {
    return eventually(`monitors are ${missing ? 'missing' : 'there'}`, async () => {
      const status = await resources.until('monitored', 'HEALTHY');
      const isMissing = conditionOf(status, 'MonitoringCRDsMissing') !== undefined;
      return isMissing === missing ? status : undefined;
    });
  }

  async function monitors(): Promise<readonly string[]> {
    const kinds = MONITORING_DEFINITIONS.map(async (definition) => {
      const plural = stringAt(definition, 'spec', 'names', 'plural') ?? '';
      const path = `/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/${plural}`;
      const { body } = await plane.api.request('GET', path);
      return listAt(body, 'items').map((item) => `${plural} ${stringAt(item, 'metadata', 'name')}`);
    });
    return (await Promise.all(kinds)).flat();
  }

  it('are missed, and nothing else is, while the cluster does not serve their kinds', async () => {
    await resources.apply('monitored', SPEC);

    const status = await settled(true);

    expect(status.componentStatus).to.have.keys('Base', 'Pilot');
    expect(conditionOf(status, 'MonitoringCRDsMissing')?.message).to.contain(
      'ServiceMonitor, PodMonitor, PrometheusRule',
    );
    expect(conditionOf(status, 'Valid')?.message).to.contain('IOP321');
  });

  it('are made as soon as it does', async () => {
    for (const definition of MONITORING_DEFINITIONS) await apply(plane.api, definition);

    const status = await settled(false);

    expect(status.componentStatus['Prometheus']?.status).to.equal('HEALTHY');
    expect(await monitors()).to.have.members([
      'servicemonitors istiod',
      'podmonitors istio-proxies',
      'podmonitors ztunnel',
      'podmonitors istio-cni',
      'podmonitors istio-operator',
      'prometheusrules istio',
    ]);
    expect(status.images).to.deep.equal(IMAGES);
  });

  it('are forgotten without a fault when the definitions go, and pruned when they are not asked for', async () => {
    const [first] = MONITORING_DEFINITIONS;
    if (first !== undefined) await plane.api.request('DELETE', pathOf(first));
    const status = await settled(true);
    expect(conditionOf(status, 'MonitoringCRDsMissing')?.message).to.contain('ServiceMonitor;');

    await resources.apply('monitored', { profile: 'minimal' });
    await settled(false);

    expect(await monitors()).to.deep.equal([]);
    expect(operator.complaints).to.deep.equal([]);
  });
});
