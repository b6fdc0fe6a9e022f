import { expect } from 'chai';
import { EngineHarness, namesOf } from './testing/engine-harness.ts';
import { component, configMap, object, planOf } from './testing/objects.ts';

describe('namespaces', () => {
  let engine: EngineHarness;
  beforeEach(() => {
    engine = new EngineHarness();
  });

  const plan = planOf(
    component('Base', [
      configMap('istio'),
      object('ConfigMap', 'other', { metadata: { namespace: 'gateways' } }),
    ]),
  );

  it('creates those that are missing, the one of the control plane with the labels of the plan', async () => {
    await engine.run(plan);

    const labels = (name: string): unknown =>
      engine.api.read({ apiVersion: 'v1', kind: 'Namespace', name })?.metadata['labels'];
    expect(labels('istio-system')).to.deep.equal({ 'topology.istio.io/network': 'network-1' });
    expect(labels('gateways')).to.equal(undefined);
  });

  it('are not even read when everything in them is there', async () => {
    await engine.run(plan);

    await engine.run(plan);

    expect(engine.api.callsOf('get').filter((call) => call.includes('Namespace'))).to.deep.equal([]);
  });

  it('neither touches nor lists those that exist', async () => {
    engine.api.update('kubectl', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'istio-system' },
    });

    await engine.run(plan);

    expect(engine.api.callsOf('apply')).not.to.include('apply Namespace istio-system');
    expect(namesOf(engine.inventory)).to.deep.equal(['other', 'istio']);
  });

  it('applies nothing into a namespace that is being deleted, and says so', async () => {
    const metadata = { name: 'istio-system', deletionTimestamp: '2026-01-01T00:00:00Z' };
    engine.api.update('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata });

    const report = await engine.run(planOf(component('Base', [configMap('istio')])));

    const result = report.components.get('Base');
    expect(result).to.deep.include({ kind: 'failed', retryable: true });
    expect(result)
      .to.have.property('message')
      .that.matches(/^Namespace istio-system: it is being deleted/);
    expect(engine.api.callsOf('apply')).to.deep.equal([]);
  });
});
