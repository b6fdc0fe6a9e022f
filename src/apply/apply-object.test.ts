import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { createKnownEqual } from './known-equal.ts';
import { actionsOf, EngineHarness, resultsOf } from './testing/engine-harness.ts';
import { component, deployment, object, planOf } from './testing/objects.ts';

describe('applying an object', () => {
  let engine: EngineHarness;
  beforeEach(() => {
    engine = new EngineHarness();
  });

  describe('leaves definitions to the newest release line', () => {
    const definition = (version: string, fields: JsonObject = {}): K8sObject =>
      object('CustomResourceDefinition', 'gateways.networking.istio.io', {
        metadata: { labels: { 'app.kubernetes.io/version': version } },
        spec: fields,
      });
    const planFor = (version: string): Plan =>
      planOf(component('Base', [definition(version, { of: version })]));
    const live = (): K8sObject | undefined => engine.api.read(refOf(definition('')));

    it('does not take fields back when the version is set back', async () => {
      await engine.run(planFor('1.30.3'));

      const report = await engine.run(planFor('1.29.6'));

      expect(actionsOf(report)).to.deep.equal({ 'gateways.networking.istio.io': 'unchanged' });
      expect(mapAt(live(), 'spec')).to.deep.equal({ of: '1.30.3' });
    });

    it('brings those of a newer line, and other patches of the same', async () => {
      await engine.run(planFor('1.29.6'));
      await engine.run(planFor('1.30.3'));

      await engine.run(planFor('1.30.1'));

      expect(mapAt(live(), 'spec')).to.deep.equal({ of: '1.30.1' });
    });
  });

  describe('asks by a dry run where comparing cannot tell', () => {
    const withEmptyMap = planOf(component('Base', [deployment('istiod', { strategy: {} })]));
    const spec = (fields: JsonObject) => (live: K8sObject) => ({
      ...live,
      spec: { ...mapAt(live, 'spec'), ...fields },
    });
    beforeEach(() => {
      engine.api.fillIn = spec({ strategy: { type: 'RollingUpdate' } });
    });

    it('asks once after a restart, and then remembers', async () => {
      await engine.run(withEmptyMap);
      engine.knownEqual = createKnownEqual();

      const first = await engine.run(withEmptyMap);
      const asked = engine.api.callsOf('dry-run', 'apply');
      await engine.run(withEmptyMap);

      expect(actionsOf(first)).to.deep.equal({ istiod: 'unchanged' });
      expect(asked).to.deep.equal(['dry-run Deployment istio-system/istiod']);
      expect(engine.api.callsOf('dry-run', 'apply')).to.deep.equal([]);
    });

    it('does not ask about what it has just created or changed', async () => {
      await engine.run(withEmptyMap);
      await engine.run(withEmptyMap);
      const afterCreating = engine.api.callsOf('dry-run', 'apply');
      const changed = planOf(component('Base', [deployment('istiod', { strategy: {}, replicas: 2 })]));

      await engine.run(changed);
      await engine.run(changed);

      expect(afterCreating).to.deep.equal([]);
      expect(engine.api.callsOf('dry-run', 'apply')).to.deep.equal([]);
    });

    it('asks again when the object has changed since', async () => {
      await engine.run(withEmptyMap);
      engine.api.edit('somebody', refOf(deployment('istiod')), spec({ strategy: { type: 'Recreate' } }));

      await engine.run(withEmptyMap);

      expect(engine.api.callsOf('dry-run')).to.have.length(1);
    });

    it('does not repeat a write of which the server makes nothing', async () => {
      await engine.run(withEmptyMap);
      const port = engine.api;
      const apply = port.apply.bind(port);
      port.apply = async (wanted, options) => {
        await apply(wanted, { ...options, dryRun: true });
        return port.read(refOf(wanted)) as K8sObject; // it was applied before
      };
      const wanted = planOf(component('Base', [deployment('istiod', { replicas: 2 })]));

      const first = await engine.run(wanted);
      await engine.run(wanted);

      expect(actionsOf(first)).to.deep.equal({ istiod: 'unchanged' });
      expect(engine.api.callsOf('apply', 'dry-run')).to.deep.equal([]);
    });
  });

  describe('immutable fields', () => {
    const change = (kind: string, spec: JsonObject): [Plan, Plan] => [
      planOf(component('Pilot', [object(kind, 'x', { spec: { selector: 'a' } })])),
      planOf(component('Pilot', [object(kind, 'x', { spec })])),
    ];
    const refuseChange = (kind: string): void => {
      engine.api.beforeCall = ({ verb, target }) => {
        if (
          verb === 'apply' &&
          engine.api.read(refOf(object(kind, 'x'))) !== undefined &&
          target.endsWith('x')
        ) {
          throw new ClusterError('spec.selector: field is immutable', { kind: 'invalid', verb: 'apply' });
        }
      };
    };

    it('of a Deployment are changed by making it anew', async () => {
      const [first, second] = change('Deployment', { selector: 'b' });
      await engine.run(first);
      refuseChange('Deployment');

      const report = await engine.run(second);

      expect(report.changes).to.deep.equal([
        {
          ref: refOf(object('Deployment', 'x')),
          action: 'configured',
          fields: ['spec.selector'],
          changedBy: [],
          recreated: true,
        },
      ]);
      expect(engine.api.read(refOf(object('Deployment', 'x')))?.['spec']).to.deep.equal({ selector: 'b' });
    });

    it('never cost an object that has taken the name meanwhile', async () => {
      const [first, second] = change('Deployment', { selector: 'b' });
      const ref = refOf(object('Deployment', 'x'));
      await engine.run(first);
      refuseChange('Deployment');
      const { beforeCall } = engine.api;
      engine.api.beforeCall = (call) => {
        beforeCall(call);
        if (call.verb === 'delete') engine.replace(ref);
      };

      await engine.run(second);

      expect(engine.api.read(ref)?.['made']).to.equal('by somebody else');
    });

    it('are changed although the time of the run is over: the old object is gone by then', async () => {
      const [, second] = change('Deployment', { selector: 'b' });
      const held = object('Deployment', 'x', {
        metadata: { finalizers: ['example.com/wait'] },
        spec: { selector: 'a' },
      });
      await engine.run(planOf(component('Pilot', [held])));
      refuseChange('Deployment');
      engine.clock.whileAsleep = (nowMs) => {
        if (nowMs === 2_000) engine.api.erase(refOf(held));
      };

      const report = await engine.run(second, { readinessTimeoutMs: 0 });

      expect(actionsOf(report)).to.deep.equal({ x: 'configured' });
    });

    it('of a Service are a failure: it would lose its addresses', async () => {
      const [first, second] = change('Service', { selector: 'b' });
      await engine.run(first);
      refuseChange('Service');

      const report = await engine.run(second);

      expect(engine.api.callsOf('delete')).to.deep.equal([]);
      expect(report.components.get('Pilot')).to.deep.include({ kind: 'failed', retryable: false });
    });
  });

  describe('an object that is being deleted', () => {
    const held = object('ConfigMap', 'held', { metadata: { finalizers: ['example.com/wait'] } });
    const plan = planOf(component('Base', [held]));

    it('is awaited and made anew', async () => {
      await engine.run(plan);
      engine.api.remove(refOf(held));
      engine.clock.whileAsleep = (nowMs) => {
        if (nowMs === 1_000) engine.api.erase(refOf(held));
      };

      const report = await engine.run(plan);

      expect(actionsOf(report)).to.deep.equal({ held: 'created' });
    });

    it('is not awaited any more when another one has taken its name', async () => {
      await engine.run(plan);
      engine.api.remove(refOf(held));
      engine.clock.whileAsleep = (nowMs) => {
        if (nowMs === 1_000) engine.replace(refOf(held));
      };

      const report = await engine.run(plan);

      expect(resultsOf(report)).to.deep.equal({ Base: 'ready' });
      expect(engine.clock.nowMs()).to.equal(1_000);
    });

    it('is told with what it waits for when it does not go', async () => {
      await engine.run(plan);
      engine.api.remove(refOf(held));

      const report = await engine.run(plan);

      const result = report.components.get('Base');
      expect(result).to.deep.include({ kind: 'failed', retryable: true });
      expect(result)
        .to.have.property('message')
        .that.matches(
          /^ConfigMap istio-system\/held: it is being deleted and waits for the finalizer example\.com\/wait\./,
        );
    });
  });
});
