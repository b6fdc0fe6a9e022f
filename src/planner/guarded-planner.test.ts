import { expect } from 'chai';
import type { PlanInput } from '../core/plan.ts';
import { printDiagnostic } from '../model/diagnostic.ts';
import type { PlanResult } from '../model/plan.ts';
import { createGuardedPlanner } from './guarded-planner.ts';
import type { ThreadOutcome } from './plan-thread.ts';

const PLANNED_HERE: PlanResult = { kind: 'invalid', diagnostics: [] };

const LIGHT = { profile: 'demo' };
const TOO_DEEP: unknown = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);

function heavy(name: string): unknown {
  return { name, values: Array.from({ length: 500 }, () => 1) };
}

/** A planner whose thread always comes to the same end. */
class Desk {
  /** How often the thread was asked. */
  asked = 0;
  readonly #plan;

  constructor(outcome: ThreadOutcome) {
    this.#plan = createGuardedPlanner({
      planner: () => PLANNED_HERE,
      thread: {
        plan: async () => {
          this.asked += 1;
          return outcome;
        },
      },
      assets: { crds: new Map() },
      deadlineMs: 2_500,
    });
  }

  async plan(...specs: readonly unknown[]): Promise<PlanResult> {
    const layers: PlanInput['layers'] = specs.map((spec) => ({ spec, source: 'a test' }));
    return this.#plan({
      layers,
      owner: { name: 'demo', namespace: 'a' },
      facts: { kubernetesVersion: 'v1.34.4' },
    });
  }
}

describe('guarding the planner', () => {
  it('does not trouble the thread with what is small, or refused at a glance', async () => {
    const desk = new Desk({ kind: 'exceeded', limit: 'time' });

    const results = [await desk.plan(LIGHT), await desk.plan(TOO_DEEP, LIGHT), await desk.plan()];

    expect([...results, desk.asked]).to.deep.equal([PLANNED_HERE, PLANNED_HERE, PLANNED_HERE, 0]);
  });

  it('goes to the thread when a single layer is large', async () => {
    const desk = new Desk({ kind: 'planned', result: JSON.stringify({ kind: 'invalid', diagnostics: [] }) });

    const result = await desk.plan(LIGHT, heavy('a'), LIGHT);

    expect([result, desk.asked]).to.deep.equal([{ kind: 'invalid', diagnostics: [] }, 1]);
  });

  const ends: readonly (readonly [string, ThreadOutcome, string])[] = [
    [
      'that takes too long',
      { kind: 'exceeded', limit: 'time' },
      'IOP502 spec: it could not be planned within 2.5 seconds.',
    ],
    [
      'that is too deep for the stack',
      { kind: 'exceeded', limit: 'stack' },
      'IOP502 spec: it is nested too deep, or a text in it is, to be planned.',
    ],
    [
      'that takes too much memory',
      { kind: 'exceeded', limit: 'memory' },
      'IOP502 spec: it could not be planned within the memory that one resource may take.',
    ],
    [
      'whose plan is too large',
      { kind: 'tooLarge', objects: 7 },
      'IOP503 spec: its 7 objects are more, or larger, than one resource can keep.',
    ],
  ];
  for (const [what, outcome, expected] of ends)
    it(`says what is wrong with one ${what}, and what to do, and does not try it again`, async () => {
      const desk = new Desk(outcome);

      const first = await desk.plan(heavy('a'));
      const again = await desk.plan(heavy('a'));

      expect(first.kind === 'invalid' && first.diagnostics.map(printDiagnostic)).to.deep.equal([
        `${expected} Make it smaller, or split it into several resources: gateways can be in resources of their own.`,
      ]);
      expect([again === first, desk.asked]).to.deep.equal([true, 1]);
    });

  const invalid = (cause: string): ThreadOutcome => ({
    kind: 'planned',
    result: JSON.stringify({
      kind: 'invalid',
      diagnostics: [{ code: 'IOP101', severity: 'error', path: 'spec', cause, remedy: '' }],
    }),
  });

  it('remembers what is wrong with one, unless that is much', async () => {
    const results = [];
    for (const length of [3_900, 4_200]) {
      const desk = new Desk(invalid('x'.repeat(length)));
      const first = await desk.plan(heavy('a'));
      const again = await desk.plan(heavy('a'));
      results.push([desk.asked, JSON.stringify(again) === JSON.stringify(first)]);
    }

    expect(results).to.deep.equal([
      [1, true],
      [2, true],
    ]);
  });

  it('plans anew what is right', async () => {
    const plan = { releaseLine: '1.30', components: [] };
    const desk = new Desk({ kind: 'planned', result: JSON.stringify({ kind: 'planned', plan }) });

    await desk.plan(heavy('a'));
    await desk.plan(heavy('a'));

    expect(desk.asked).to.equal(2);
  });

  it('tries again what was edited', async () => {
    const desk = new Desk({ kind: 'exceeded', limit: 'time' });

    await desk.plan(heavy('a'));
    await desk.plan(heavy('b'));

    expect(desk.asked).to.equal(2);
  });

  it('remembers the last 500 that took too much', async () => {
    const desk = new Desk({ kind: 'exceeded', limit: 'time' });
    const askAgain = async (name: number): Promise<boolean> => {
      const before = desk.asked;
      await desk.plan(heavy(`number ${name}`));
      return desk.asked > before;
    };

    for (let name = 1; name <= 500; name += 1) await askAgain(name);
    const isFirstForgotten = await askAgain(1);
    await askAgain(501);

    expect([isFirstForgotten, await askAgain(2), await askAgain(501), await askAgain(1)]).to.deep.equal([
      false,
      false,
      false,
      true,
    ]);
  });
});
