import { expect } from 'chai';
import fc from 'fast-check';
import { backoffMs, spreadMs } from './backoff.ts';

const SETTINGS = { firstMs: 1_000, lastMs: 300_000 };
const randomNumber = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('stays between the first and the last delay, however many failures there were', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), randomNumber, (failures, random) => {
        const delay = backoffMs(failures, SETTINGS, random);

        expect(delay).to.be.within(SETTINGS.firstMs, SETTINGS.lastMs);
      }),
    );
  });

  it('differs for resources that failed together', () => {
    expect([0, 0.5, 0.99].map((random) => backoffMs(4, SETTINGS, random))).to.deep.equal([
      6_400, 8_000, 9_568,
    ]);
  });
});

describe('spreadMs', () => {
  it('stays within a tenth of the period', () => {
    fc.assert(
      fc.property(randomNumber, (random) => {
        expect(spreadMs(600_000, random)).to.be.within(540_000, 660_000);
      }),
    );
  });
});
