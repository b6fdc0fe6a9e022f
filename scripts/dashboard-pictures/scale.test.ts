import { expect } from 'chai';
import type { Unit } from '../dashboards.ts';
import { ticksUpTo } from './scale.ts';

const CASES: readonly (readonly [number, Unit, readonly string[]])[] = [
  [134, 'reqps', ['0 req/s', '50 req/s', '100 req/s', '150 req/s']],
  [0.97, 'percentunit', ['0%', '20%', '40%', '60%', '80%', '100%']],
  [150 * 1024 ** 2, 'bytes', ['0 MiB', '50 MiB', '100 MiB', '150 MiB']],
  [0.3, 's', ['0 ms', '100 ms', '200 ms', '300 ms']],
  [0.11, 'short', ['0.000', '0.025', '0.050', '0.075', '0.100', '0.125']],
  [0, 'ops', ['0.0 ops/s', '0.2 ops/s', '0.4 ops/s', '0.6 ops/s', '0.8 ops/s', '1.0 ops/s']],
];

describe('ticksUpTo', () => {
  for (const [largest, unit, texts] of CASES) {
    it(`has round steps for ${largest} in ${unit}`, () => {
      expect(ticksUpTo(largest, unit).map(({ text }) => text)).to.deep.equal(texts);
    });
  }

  it('ends at or above the largest value', () => {
    for (const largest of [0.001, 3, 9.99, 77, 5e6]) {
      expect(ticksUpTo(largest, 'Bps').at(-1)?.value).to.be.at.least(largest);
    }
  });
});
