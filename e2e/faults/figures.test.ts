import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { figureLine, readFigures } from './figures.ts';
import { PROOFS } from './proofs.ts';

describe('figures', () => {
  it('are printed in one line with size, seed and target', () => {
    const result = { counts: { plans: 612, differences: 0 }, isMet: true };

    expect(figureLine({ tier: 2, seed: 7 }, 'crashes', result)).to.equal(
      'faults crashes: plans 612, differences 0 (tier 2, seed 7; target ≥ 600 plans, 0 differences: met)',
    );
  });

  it('are of suites that there are', async () => {
    const files = await readdir(import.meta.dirname);

    expect(Object.values(PROOFS).filter(({ suite }) => !files.includes(suite))).to.deep.equal([]);
  });

  it('are recorded for proofs that there are', async () => {
    expect(Object.keys(await readFigures()).filter((name) => !(name in PROOFS))).to.deep.equal([]);
  });
});
