import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import { at, mapAt } from '../model/json.ts';
import { refOf } from '../model/object.ts';
import type { ApplyReport } from '../model/report.ts';
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
