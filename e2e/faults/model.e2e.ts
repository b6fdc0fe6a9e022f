/**
 * Tries schedules of faults on the real controller and engine, in a cluster that is made of memory: no process, no
 * network, and so a hundred thousand of them. `MODEL_SCHEDULE="shrink: 7=lost 12=crashAfter"` tells what happens in one.
 */
import { expect } from 'chai';
import type { Scope } from '../../src/controller/testing/schedules/explorer.ts';
import { explore, prepareModel, replay } from '../../src/controller/testing/schedules/explorer.ts';
import { liveMany } from '../../src/controller/testing/several/lives.ts';
import { readFaultRun, seededRandom } from './fault-run.ts';
import { recordProof } from './figures.ts';

const MINUTES = 60_000;
const TARGET = { 1: 2_700, 2: 100_000 } as const;
/**
 * All schedules of one fault are 3,300, and of two crashes or lost calls 17,300; chance chooses among these, and makes the
 * longer ones.
 */
const SCOPES = {
  1: { singles: 1_200, pairs: 600, longer: 900 },
  2: { singles: 10_000, pairs: 40_000, longer: 82_000 },
} as const satisfies Record<1 | 2, Partial<Scope>>;

/** Lives of several resources, of about three prunes each. */
const LIVES = { 1: 400, 2: 4_000 } as const;
const PRUNES = { 1: 700, 2: 8_000 } as const;

const run = readFaultRun(process.env);

describe('schedules of faults', function suite() {
  this.timeout(60 * MINUTES);

  it('end as if nothing had happened, and harm and forget nothing on their way', async () => {
    const model = await prepareModel();
    const scope = { ...SCOPES[run.tier], random: seededRandom(run.seed), mostViolations: 5 };
    const startedMs = process.cpuUsage();

    const { tried, requests, violations } = await explore(model, scope);

    const { user, system } = process.cpuUsage(startedMs);
    const counts = {
      schedules: tried,
      requests,
      violations: violations.length,
      'CPU seconds': Math.round((user + system) / 1_000_000),
    };
    const isMet = tried >= TARGET[run.tier] && violations.length === 0;
    await recordProof(run, 'model', { counts, isMet });
    expect(model.findings).to.deep.equal([]);
    expect(violations).to.deep.equal([]);
    expect(tried).to.be.at.least(TARGET[run.tier]);
  });

  const schedule = process.env['MODEL_SCHEDULE'];
  if (schedule !== undefined)
    it(`goes on: ${schedule}`, async () => {
      const { events, findings } = await replay(await prepareModel(), schedule);

      console.log(events.join('\n'));
      expect(findings).to.deep.equal([]);
    });
});

describe('several resources', function suite() {
  this.timeout(60 * MINUTES);

  it('take nothing from each other, and leave nothing behind', async () => {
    const startedMs = process.cpuUsage();

    const { lives, tally, violation } = await liveMany({ seed: run.seed, runs: LIVES[run.tier] });

    const { user, system } = process.cpuUsage(startedMs);
    const counts = {
      lives,
      prunes: tally.pruned,
      deletions: tally.deleted,
      refusals: tally.refused,
      'hand-overs': tally.handedOver,
      violations: violation === undefined ? 0 : 1,
      'CPU seconds': Math.round((user + system) / 1_000_000),
    };
    if (violation !== undefined) console.log(violation);
    const isMet = tally.pruned >= PRUNES[run.tier] && violation === undefined;
    await recordProof(run, 'several', { counts, isMet });
    expect(violation).to.equal(undefined);
    expect(tally.pruned).to.be.at.least(PRUNES[run.tier]);
  });
});
