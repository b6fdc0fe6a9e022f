import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { readFaultRun } from './fault-run.ts';
import { figureLine, readFigures, recordProof } from './figures.ts';
import { PROOFS } from './proofs.ts';

describe('figures', () => {
  it('are printed in one line with size, seed and target', () => {
    const result = { counts: { plans: 612, differences: 0 }, isMet: true };

    expect(figureLine({ tier: 2, seed: 7 }, 'crashes', result)).to.equal(
      'faults crashes: plans 612, differences 0 (tier 2, seed 7; target ≥ 600 plans, 0 differences: met)',
    );
  });

  it('fail a run in full that misses its target, and no sample', async () => {
    const missed = { counts: { places: 3 }, isMet: false };
    const failureOf = async (env: Readonly<Record<string, string>>): Promise<string> =>
      recordProof(readFaultRun(env), 'canaries', missed).then(() => '', String);

    expect(await failureOf({ FAULTS_TIER: '2' })).to.match(
      /^Error: faults canaries: places 3 .*: not met\)$/,
    );
    expect(await failureOf({ FAULTS_TIER: '2', FAULTS_TRIALS: '5' })).to.equal('');
    expect(await failureOf({ FAULTS_TIER: '1' })).to.equal('');
  });

  it('are of suites that there are', async () => {
    const files = await readdir(import.meta.dirname);

    expect(Object.values(PROOFS).filter(({ suite }) => !files.includes(suite))).to.deep.equal([]);
  });

  it('are recorded for proofs that there are', async () => {
    expect(Object.keys(await readFigures()).filter((name) => !(name in PROOFS))).to.deep.equal([]);
  });
});
