import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import { at, mapAt } from '../model/json.ts';
import { refOf } from '../model/object.ts';
import type { ApplyReport } from '../model/report.ts';
import { Disputes } from './disputes.ts';
import { actionsOf, EngineHarness, resultsOf } from './testing/engine-harness.ts';
import { component, configMap, deployment, planOf } from './testing/objects.ts';

const MINUTE_MS = 60_000;

describe('what others undo again and again', () => {
  let engine: EngineHarness;
  const desired = deployment('istiod', { replicas: 2, paused: false });
  const plan = planOf(component('Pilot', [desired, configMap('istio')]));
  const ref = refOf(desired);

  beforeEach(async () => {
    engine = new EngineHarness();
    await engine.run(plan);
  });

  async function pass(ms: number): Promise<void> {
    await engine.clock.sleep(ms, engine.abort.signal);
  }

  function flip(fields: JsonObject = { replicas: 9 }, manager = 'keda'): void {
    engine.api.edit(manager, ref, (live) => ({ spec: { ...mapAt(live, 'spec'), ...fields } }));
  }

  function unset(): void {
    engine.api.edit('keda', ref, (live) => {
      const { replicas: _replicas, ...spec } = mapAt(live, 'spec');
      return { spec };
    });
  }

  /** The adversary acts, and the operator looks, a second later. */
  async function round(adversary: () => void): Promise<ApplyReport> {
    adversary();
    await pass(1_000);
    return engine.run(plan);
  }

  async function rounds(count: number, adversary: () => void): Promise<readonly ApplyReport[]> {
    const reports: ApplyReport[] = [];
    for (let done = 0; done < count; done += 1) reports.push(await round(adversary));
    return reports;
  }

  function replicas(): unknown {
    return at(engine.api.read(ref), 'spec', 'replicas');
  }

  const writesIn = (reports: readonly ApplyReport[]): number =>
    reports.filter((report) => actionsOf(report)['istiod'] !== 'unchanged').length;

  describe('a field', () => {
    it('is put back three times within five minutes, and then left as it is', async () => {
      const reports = await rounds(10, () => flip());

      expect(writesIn(reports)).to.equal(3);
      expect(reports.at(-1)?.disputes).to.deep.equal([
        { ref, field: 'spec.replicas', managers: ['keda'], retryInMs: 54_000 },
      ]);
      expect(replicas()).to.equal(9);
    });

    it('is always put back when it is changed less often', async () => {
      for (let done = 0; done < 10; done += 1) {
        await round(() => flip());
        await pass(2 * MINUTE_MS);
      }

      expect(replicas()).to.equal(2);
    });

    it('is left to the other also when it is taken away each time', async () => {
      const reports = await rounds(10, unset);

      expect(writesIn(reports)).to.be.within(3, 4);
      expect(reports.at(-1)?.disputes?.map(({ field }) => field)).to.deep.equal(['spec.replicas']);
    });

    it('does not keep other fields of its object from being repaired', async () => {
      await rounds(5, () => flip());

      flip({ paused: true }, 'kubectl-edit');
      const report = await engine.run(plan);

      expect(report.changes.find(({ ref: { name } }) => name === 'istiod')?.fields).to.deep.equal([
        'spec.paused',
      ]);
      expect(at(engine.api.read(ref), 'spec', 'paused')).to.equal(false);
      expect(replicas()).to.equal(9);
    });

    it('is left alone while what others do to the other fields is still put back, in the same look', async () => {
      await rounds(3, () => flip());

      await round(() => flip({ replicas: 9, paused: true }));

      expect(at(engine.api.read(ref), 'spec')).to.include({ replicas: 9, paused: false });
    });

    it('does not keep its component from being ready', async () => {
      const reports = await rounds(5, () => flip());

      expect(resultsOf(reports[4] as ApplyReport)).to.deep.equal({ Pilot: 'ready' });
    });

    it('is put back once it has been quiet for a minute, and forgotten when it stays', async () => {
      await rounds(5, () => flip());
      await pass(MINUTE_MS);

      const retried = await engine.run(plan);
      await pass(5 * MINUTE_MS);
      const later = await rounds(2, () => flip());

      expect([actionsOf(retried)['istiod'], retried.disputes]).to.deep.equal(['configured', undefined]);
      expect(writesIn(later)).to.equal(2);
    });

    it('is left alone for twice as long each time that the attempt is undone', async () => {
      const [lastly] = (await rounds(4, () => flip())).slice(-1);
      const waits = [lastly?.disputes?.[0]?.retryInMs ?? 0];
      for (let attempt = 0; attempt < 6; attempt += 1) {
        await pass(waits.at(-1) ?? 0);
        await engine.run(plan);
        const report = await round(() => flip());
        waits.push(report.disputes?.[0]?.retryInMs ?? 0);
      }

      expect(waits).to.deep.equal([1, 2, 4, 8, 16, 30, 30].map((minutes) => minutes * MINUTE_MS));
    });

    it('stays left alone for as long as others go on changing it', async () => {
      await rounds(4, () => flip());
      let value = 10;

      const reports = await rounds(200, () => flip({ replicas: (value += 1) }));

      expect(writesIn(reports)).to.equal(0);
    });

    it('is put back at once when the resource asks for something else', async () => {
      await rounds(5, () => flip());
      const other = planOf(component('Pilot', [deployment('istiod', { replicas: 3 }), configMap('istio')]));

      const report = await engine.run(other);

      expect([replicas(), report.disputes]).to.deep.equal([3, undefined]);
    });

    it('is not disputed when the resource itself goes back and forth', async () => {
      const without = planOf(
        component('Pilot', [deployment('istiod', { paused: false }), configMap('istio')]),
      );
      for (let done = 0; done < 8; done += 1) {
        await engine.run(without);
        await engine.run(plan);
      }

      expect(replicas()).to.equal(2);
    });
  });

  describe('a field that a namesake of ours applies otherwise', () => {
    /** As an operator of another version does, or one with other settings: under the same name. */
    async function applyOther(fields: JsonObject, metadata: JsonObject = {}): Promise<void> {
      const other = deployment('istiod', { replicas: 2, paused: false, ...fields });
      const labels = { ...mapAt(other, 'metadata', 'labels'), ...metadata };
      await engine.api.apply({ ...other, metadata: { ...other.metadata, labels } }, {});
    }

    async function fight(count: number, act: () => Promise<void>): Promise<readonly ApplyReport[]> {
      const reports: ApplyReport[] = [];
      for (let done = 0; done < count; done += 1) {
        await act();
        await pass(1_000);
        reports.push(await engine.run(plan));
      }
      return reports;
    }

    it('is put back three times, and then left as it is', async () => {
      const reports = await fight(10, async () => applyOther({ replicas: 9 }));

      expect(writesIn(reports)).to.equal(3);
      expect(reports.at(-1)?.disputes).to.deep.equal([
        { ref, field: 'spec.replicas', managers: ['another istio-operator'], retryInMs: 54_000 },
      ]);
      expect(replicas()).to.equal(9);
    });

    it('is left as it is also when we do not want it at all', async () => {
      const reports = await fight(10, async () => applyOther({}, { theirs: 'x' }));

      expect(writesIn(reports)).to.equal(3);
      expect(reports.at(-1)?.disputes?.map(({ field }) => field)).to.deep.equal(['metadata.labels.theirs']);
      expect(at(engine.api.read(ref), 'metadata', 'labels', 'theirs')).to.equal('x');
    });

    it('is left as it is also when it is a whole map that we do not want', async () => {
      const reports = await fight(10, async () => applyOther({ strategy: { type: 'Recreate' } }));

      expect(writesIn(reports)).to.equal(3);
      expect(at(engine.api.read(ref), 'spec', 'strategy')).to.deep.equal({ type: 'Recreate' });
    });

    it('is left as it is also when it is an item of a list that we do not want', async () => {
      const containers = ['extra', 'main'].map((name) => ({ name, image: 'registry/main:1' }));
      const reports = await fight(10, async () => applyOther({ template: { spec: { containers } } }));

      expect(writesIn(reports)).to.equal(3);
      expect(at(engine.api.read(ref), 'spec', 'template', 'spec', 'containers')).to.have.length(2);
    });

    it('does not keep other fields from being repaired', async () => {
      await fight(5, async () => applyOther({ replicas: 9 }));

      await fight(1, async () => applyOther({ replicas: 9, paused: true }));

      expect(at(engine.api.read(ref), 'spec')).to.include({ replicas: 9, paused: false });
    });

    it('is put back once the other stops', async () => {
      await fight(5, async () => applyOther({ replicas: 9 }, { theirs: 'x' }));
      await pass(MINUTE_MS);

      const report = await engine.run(plan);

      expect([replicas(), report.disputes]).to.deep.equal([2, undefined]);
      expect(mapAt(engine.api.read(ref), 'metadata', 'labels')).to.not.have.property('theirs');
    });
  });

  describe('nothing is in dispute', () => {
    const otherPlan = planOf(component('Pilot', [deployment('istiod', { replicas: 3 }), configMap('istio')]));
    const APPLY = 'apply Deployment istio-system/istiod';

    async function disputesAfter(
      looks: number,
      act: (round: number) => Promise<unknown>,
    ): Promise<unknown[]> {
      for (let done = 0; done < looks; done += 1) {
        await act(done);
        await pass(1_000);
      }
      return engine.disputes.open(engine.clock.nowMs()).map(({ field }) => field);
    }

    it('when the resource asks for one thing and another in turn', async () => {
      const disputes = await disputesAfter(12, async (done) => engine.run(done % 2 === 0 ? otherPlan : plan));

      expect([disputes, replicas()]).to.deep.equal([[], 2]);
    });

    it('when it does so while every other answer gets lost', async () => {
      const disputes = await disputesAfter(12, async (done) => {
        const wanted = done % 2 === 0 ? otherPlan : plan;
        if (done % 2 === 0) engine.api.fail(APPLY, 'unavailable');
        await engine.run(wanted);
        engine.api.failures.clear();
        if (done % 2 === 0) await engine.api.apply(deployment('istiod', { replicas: 3 }), {});
      });

      expect([disputes, replicas()]).to.deep.equal([[], 2]);
    });

    it('when versions of the operator take turns', async () => {
      const disputes = await disputesAfter(12, async (done) => {
        engine.disputes = new Disputes();
        return engine.run(done % 2 === 0 ? otherPlan : plan);
      });

      expect([disputes, replicas()]).to.deep.equal([[], 2]);
    });

    it('when the operator crashes after each write', async () => {
      const disputes = await disputesAfter(12, async () => {
        engine.disputes = new Disputes();
        await engine.api.apply(deployment('istiod', { replicas: 3 }), {});
        await engine.run(plan);
      });

      expect([disputes, replicas()]).to.deep.equal([[], 2]);
    });

    it('when putting back what was changed once is refused again and again', async () => {
      flip();
      engine.api.fail(APPLY, 'refused');
      await disputesAfter(8, async () => engine.run(plan));
      engine.api.failures.clear();

      const report = await engine.run(plan);

      expect([replicas(), report.disputes]).to.deep.equal([2, undefined]);
    });

    it('when making what was deleted once is refused again and again', async () => {
      engine.api.erase(ref);
      engine.api.fail(APPLY, 'refused');
      await disputesAfter(8, async () => engine.run(plan));
      engine.api.failures.clear();

      const report = await engine.run(plan);

      expect([replicas(), report.disputes]).to.deep.equal([2, undefined]);
    });

    it('when what is wanted anew is refused again and again', async () => {
      engine.api.fail(APPLY, 'refused');
      await disputesAfter(8, async () => engine.run(otherPlan));
      engine.api.failures.clear();

      const report = await engine.run(otherPlan);

      expect([replicas(), report.disputes]).to.deep.equal([3, undefined]);
    });

    it('when the API server makes nothing of what we write', async () => {
      const apply = engine.api.apply.bind(engine.api);
      engine.api.apply = async (wanted, options) => {
        await apply(wanted, { ...options, dryRun: true });
        return engine.api.read(refOf(wanted)) ?? wanted;
      };
      await apply(deployment('istiod', { replicas: 9, paused: false }), {});

      const disputes = await disputesAfter(8, async (done) => {
        // With every other change of the object it is tried again.
        engine.api.edit('lens', ref, (live) => ({
          metadata: { ...live.metadata, annotations: { seen: String(done) } },
        }));
        await engine.run(plan);
      });

      expect(disputes).to.deep.equal([]);
    });
  });

  describe('an item of a list', () => {
    it('is left out when others take it away again and again', async () => {
      const two = deployment('istiod', {
        template: {
          spec: {
            containers: [
              { name: 'main', image: 'a:1' },
              { name: 'extra', image: 'b:1' },
            ],
          },
        },
      });
      const withTwo = planOf(component('Pilot', [two]));
      engine = new EngineHarness();
      await engine.run(withTwo);
      const containers = (): unknown[] => [
        at(engine.api.read(ref), 'spec', 'template', 'spec', 'containers'),
      ];
      const first = mapAt(two, 'spec');

      for (let done = 0; done < 8; done += 1) {
        engine.api.edit('injector', ref, () => ({
          spec: { ...first, template: { spec: { containers: [{ name: 'main', image: 'a:1' }] } } },
        }));
        await engine.run(withTwo);
      }

      expect(containers()).to.deep.equal([[{ name: 'main', image: 'a:1' }]]);
    });
  });

  describe('an object', () => {
    it('is made again three times within five minutes, and is then not ready', async () => {
      const reports = await rounds(10, () => engine.api.erase(ref));

      expect(writesIn(reports.filter((report) => actionsOf(report)['istiod'] !== undefined))).to.equal(3);
      expect(reports.at(-1)?.disputes).to.deep.equal([{ ref, managers: [], retryInMs: 54_000 }]);
      expect(reports.at(-1)?.components.get('Pilot')).to.deep.equal({
        kind: 'notReady',
        waitingFor: [{ ref, reason: 'others delete it again and again, so it is not made again for now' }],
      });
      expect(engine.inventory.map(({ name }) => name)).to.include('istiod');
    });

    it('is made again after a minute', async () => {
      await rounds(5, () => engine.api.erase(ref));
      await pass(MINUTE_MS);

      const report = await engine.run(plan);

      expect([actionsOf(report)['istiod'], report.disputes]).to.deep.equal(['created', undefined]);
    });

    it('is not disputed when it was pruned, because the resource did without it for a while', async () => {
      const without = planOf(component('Pilot', [configMap('istio')]));
      for (let done = 0; done < 8; done += 1) {
        await engine.run(without);
        await engine.run(plan);
      }

      expect(replicas()).to.equal(2);
    });
  });
});
