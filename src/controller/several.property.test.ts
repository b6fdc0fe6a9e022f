import { expect } from 'chai';
import { BROKEN_BETWEEN_RESOURCES } from './testing/several/broken-operators.ts';
import { liveMany } from './testing/several/lives.ts';

/** The suite e2e/faults/model.e2e.ts lives many more. */
describe('several resources in one cluster', function suite() {
  this.timeout(120_000);

  it('take nothing from each other, and leave nothing behind', async () => {
    const { violation, tally } = await liveMany({ seed: 1, runs: 150 });

    expect(violation).to.equal(undefined);
    expect(tally.pruned).to.be.at.least(300);
    expect(tally.handedOver).to.be.at.least(100);
    expect(tally.refused).to.be.at.least(100);
  });

  for (const [fault, engine] of Object.entries(BROKEN_BETWEEN_RESOURCES)) {
    it(`are found out to suffer from an operator that ${fault}`, async () => {
      const { violation } = await liveMany({ seed: 1, runs: 60, engine, isShrunk: false });

      expect(violation).to.be.a('string');
    });
  }
});
