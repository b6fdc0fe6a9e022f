import { expect } from 'chai';
import { at, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { actionsOf, EngineHarness } from './testing/engine-harness.ts';
import { component, deployment, object, planOf } from './testing/objects.ts';

describe('replicas', () => {
  let engine: EngineHarness;
  beforeEach(() => {
    engine = new EngineHarness();
  });

  const replicas = (): unknown => at(engine.api.read(refOf(deployment('istiod'))), 'spec', 'replicas');
  const scale = (count: number): void =>
    engine.api.edit('kube-controller-manager', refOf(deployment('istiod')), (live) => ({
      spec: { ...mapAt(live, 'spec'), replicas: count },
    }));
  const autoscaler = (name: string): K8sObject =>
    object('HorizontalPodAutoscaler', name, {
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'istiod' } },
    });
  const fixed = planOf(component('Pilot', [deployment('istiod', { replicas: 2 })]));
  const scaled = planOf(component('Pilot', [deployment('istiod', { replicas: 2 }), autoscaler('istiod')]));

  it('are left to an autoscaler of the plan', async () => {
    await engine.run(scaled);
    scale(5);

    const report = await engine.run(scaled);

    expect(replicas()).to.equal(5);
    expect(actionsOf(report)['istiod']).to.equal('unchanged');
  });

  it('do not fall to one when autoscaling is turned on', async () => {
    await engine.run(fixed);
    const { replicas: _replicas, ...spec } = mapAt(deployment('istiod'), 'spec');
    const unscaled = object('Deployment', 'istiod', { spec });

    await engine.run(planOf(component('Pilot', [unscaled, autoscaler('istiod')])));

    expect(replicas()).to.equal(2);
  });

  it('are not none where an autoscaler is to scale, at first or after a change', async () => {
    const parked = deployment('istiod', { replicas: 0 });
    const { replicas: _none, ...spec } = mapAt(parked, 'spec');
    const resting = planOf(component('Pilot', [parked, autoscaler('istiod')]));

    await engine.run(resting);
    const atFirst = replicas();
    const again = await engine.run(resting);
    await engine.run(planOf(component('Pilot', [parked])));
    const parkedNow = replicas();
    await engine.run(
      planOf(component('Pilot', [object('Deployment', 'istiod', { spec }), autoscaler('istiod')])),
    );

    expect(atFirst).not.to.equal(0);
    expect(actionsOf(again)['istiod']).to.equal('unchanged');
    expect(parkedNow).to.equal(0);
    expect(replicas()).not.to.equal(0);
  });

  it('are ours again when autoscaling is turned off', async () => {
    await engine.run(scaled);
    scale(5);

    await engine.run(fixed);

    expect(replicas()).to.equal(2);
  });

  it("are left to a user's own autoscaler", async () => {
    await engine.run(fixed);
    engine.api.update('keda', {
      ...autoscaler('keda-hpa-istiod'),
      metadata: { name: 'k', namespace: 'istio-system' },
    });
    scale(7);

    await engine.run(fixed);

    expect(replicas()).to.equal(7);
  });

  it('are repaired when a person scales', async () => {
    await engine.run(fixed);
    engine.api.edit('kubectl', refOf(deployment('istiod')), (live) => ({
      spec: { ...mapAt(live, 'spec'), replicas: 0 },
    }));

    await engine.run(fixed);

    expect(replicas()).to.equal(2);
    expect(engine.api.callsOf('list')).to.deep.equal([]);
  });
});
