import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import { at, listAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { EngineHarness, resultsOf, unavailable } from './testing/engine-harness.ts';
import { healthyStatus } from './testing/in-memory-api.ts';
import { component, deployment, object, planOf } from './testing/objects.ts';

const LABELS: JsonObject = { 'operator.istio.io/component': 'IngressGateways' };

function gateway(name: string, image: string): K8sObject {
  const template = { spec: { containers: [{ name: 'istio-proxy', image }] } };
  return object('Deployment', name, { metadata: { labels: LABELS }, spec: { replicas: 1, template } });
}

function gateways(image: string, names: readonly string[] = ['a', 'b', 'c']): Plan {
  const objects = names.map((name) => gateway(name, image));
  return planOf(
    component('IngressGateways', objects.slice(0, 1)),
    component('EgressGateways', objects.slice(1)),
  );
}

describe('gateways that replace their pods', () => {
  let engine: EngineHarness;
  /** The gateways whose new pods never work, and since when there is no progress. */
  let broken: ReadonlyMap<string, number>;

  beforeEach(async () => {
    engine = new EngineHarness();
    broken = new Map();
    engine.api.statusOf = (live) => {
      const sinceMs = broken.get(live.metadata.name);
      if (sinceMs === undefined || imageOf(live) !== 'v2') return healthyStatus(live);
      const lastUpdateTime = new Date(sinceMs).toISOString();
      const conditions = [
        { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', lastUpdateTime },
      ];
      return { ...unavailable(), observedGeneration: live.metadata['generation'] ?? 1, conditions };
    };
    await engine.run(gateways('v1'));
  });

  function imageOf(live: K8sObject | undefined): unknown {
    return at(listAt(live, 'spec', 'template', 'spec', 'containers')[0], 'image');
  }

  function images(): readonly unknown[] {
    return ['a', 'b', 'c'].map((name) => imageOf(engine.api.read(refOf(gateway(name, '')))));
  }

  it('do so one by one: none begins while another one is not ready', async () => {
    broken = new Map([['a', 0]]);

    const report = await engine.run(gateways('v2'), { readinessTimeoutMs: 1_000, gatewayPatienceMs: 60_000 });

    expect(images()).to.deep.equal(['v2', 'v1', 'v1']);
    expect(report.components.get('EgressGateways')).to.deep.equal({
      kind: 'notReady',
      waitingFor: ['b', 'c'].map((name) => ({
        ref: refOf(gateway(name, '')),
        reason: 'its update waits until Deployment istio-system/a is ready',
      })),
    });
    expect(engine.inventory).to.have.length(3);
  });

  it('go on in the next run when the one before is ready', async () => {
    broken = new Map([['a', 0]]);
    await engine.run(gateways('v2'), { readinessTimeoutMs: 1_000, gatewayPatienceMs: 60_000 });
    broken = new Map();
    engine.api.edit('kube-controller-manager', refOf(gateway('a', '')), () => ({ note: 'seen' }));

    const report = await engine.run(gateways('v2'), { readinessTimeoutMs: 1_000 });

    expect(images()).to.deep.equal(['v2', 'v2', 'v2']);
    expect(resultsOf(report)).to.deep.equal({ IngressGateways: 'ready', EgressGateways: 'ready' });
  });

  it('are not held for longer than the patience with one, however many are broken', async () => {
    broken = new Map(['a', 'b', 'c'].map((name) => [name, 0]));
    const startedMs = engine.clock.nowMs();

    await engine.run(gateways('v2'), { readinessTimeoutMs: 100_000, gatewayPatienceMs: 50_000 });

    expect(images()).to.deep.equal(['v2', 'v2', 'v2']);
    expect(engine.clock.nowMs() - startedMs).to.be.at.most(150_000);
  });

  it('wait for nothing when their pods stay as they are', async () => {
    broken = new Map([['a', 0]]);
    await engine.run(gateways('v2', ['a']), { readinessTimeoutMs: 1_000 });
    const scaled = {
      ...gateway('b', 'v1'),
      spec: { ...(gateway('b', 'v1')['spec'] as JsonObject), replicas: 3 },
    };
    const plan = planOf(component('IngressGateways', [gateway('a', 'v2'), scaled]));
    const startedMs = engine.clock.nowMs();

    await engine.run(plan, { readinessTimeoutMs: 0 });

    expect(at(engine.api.read(refOf(scaled)), 'spec', 'replicas')).to.equal(3);
    expect(engine.clock.nowMs()).to.equal(startedMs);
  });

  it('are all made at once when they are new', async () => {
    engine = new EngineHarness();
    engine.api.statusOf = () => unavailable();

    await engine.run(gateways('v1'), { readinessTimeoutMs: 0 });

    expect(images()).to.deep.equal(['v1', 'v1', 'v1']);
  });
});

describe('what webhooks call', () => {
  let engine: EngineHarness;
  const service = object('Service', 'istiod', { spec: { selector: { app: 'istiod' } } });
  const webhook = object('ValidatingWebhookConfiguration', 'validator', {
    webhooks: [{ name: 'v', clientConfig: { service: { name: 'istiod', namespace: 'istio-system' } } }],
  });
  const plan = planOf(
    component('Pilot', [service, deployment('istiod'), webhook]),
    component('IngressGateways', [gateway('a', 'v1')], ['Pilot']),
  );

  beforeEach(() => {
    engine = new EngineHarness();
  });

  function answer(isReady: boolean): void {
    const labels = { 'kubernetes.io/service-name': 'istiod' };
    engine.api.update('endpointslice-controller', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'istiod-x', namespace: 'istio-system', labels },
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: isReady } }],
    });
  }

  it('has a ready endpoint before webhooks and gateways are made', async () => {
    answer(false);

    const report = await engine.run(plan, { readinessTimeoutMs: 1_000 });

    expect(engine.applied()).to.deep.equal(['istiod', 'istiod']);
    expect(report.components.get('Pilot')).to.deep.equal({
      kind: 'notReady',
      waitingFor: [{ ref: refOf(service), reason: 'it has no ready endpoint yet' }],
    });
    expect(report.components.get('IngressGateways')?.kind).to.equal('skipped');
  });

  it('lets everything go on as soon as it has one', async () => {
    engine.clock.whileAsleep = () => answer(true);

    expect(resultsOf(await engine.run(plan))).to.deep.equal({ Pilot: 'ready', IngressGateways: 'ready' });
  });

  it('is not looked at when nothing is going on', async () => {
    answer(true);
    await engine.run(plan);

    await engine.run(plan, { isAtRest: true });

    expect(engine.api.callsOf('list')).to.deep.equal([]);
  });

  it('does not hold up an operator that may not look at endpoints', async () => {
    engine.api.fail('list EndpointSlice', 'forbidden');

    expect(resultsOf(await engine.run(plan))).to.deep.equal({ Pilot: 'ready', IngressGateways: 'ready' });
  });
});
