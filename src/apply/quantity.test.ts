import { expect } from 'chai';
import fc from 'fast-check';
import { sameQuantity } from './quantity.ts';

describe('sameQuantity', () => {
  const EQUAL: readonly (readonly [string | number, string | number])[] = [
    ['2000m', '2'],
    ['1024Mi', '1Gi'],
    ['0.1', '100m'],
    [2, '2'],
    [0.5, '500m'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['1.5Gi', '1536Mi'],
    ['+3', '3'],
    ['.5', '0.5'],
    ['12e-1', '1.2'],
    ['0', 0],
    ['1E', '1000P'],
    ['0.1n', '1n'],
  ];
  for (const [left, right] of EQUAL) {
    it(`takes ${left} and ${right} for equal`, () => {
      expect(sameQuantity(left, right)).to.equal(true);
    });
  }

  const DIFFERENT: readonly (readonly [string | number, string | number])[] = [
    ['1G', '1Gi'],
    ['100m', '100'],
    ['1Gi', '1025Mi'],
    ['-1', '1'],
    ['1k', '1Ki'],
  ];
  for (const [left, right] of DIFFERENT) {
    it(`tells ${left} from ${right}`, () => {
      expect(sameQuantity(left, right)).to.equal(false);
    });
  }

  it('takes nothing that is no quantity for equal, not even to itself', () => {
    const noQuantities = ['', 'abc', '1 Gi', '1GiB', '0x10', '1e', 'NaN', '--1', '1ki'];

    expect(noQuantities.filter((text) => sameQuantity(text, text))).to.deep.equal([]);
    expect(sameQuantity(null, null)).to.equal(false);
    expect(sameQuantity(undefined, undefined)).to.equal(false);
  });

  it('finds every whole number of milli units equal to its decimal form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (milli) => {
        const decimal = `${Math.floor(milli / 1000)}.${String(milli % 1000).padStart(3, '0')}`;
        return sameQuantity(`${milli}m`, decimal) && !sameQuantity(`${milli + 1}m`, decimal);
      }),
    );
  });
});
