import { expect } from 'chai';
import { figureTable, median } from './figure.ts';

describe('figureTable', () => {
  it('aligns the figures and marks the one that misses its target', () => {
    const table = figureTable([
      { what: 'render of demo', value: 12.34, unit: 'ms', target: 25 },
      { what: 'memory', value: 130, unit: 'MiB', target: 110 },
      { what: 'render of minimal', value: 8, unit: 'ms' },
    ]);

    expect(table.split('\n')).to.deep.equal([
      'what                measured      target',
      'render of demo       12.3 ms     ≤ 25 ms',
      'memory               130 MiB   ≤ 110 MiB   MISSED',
      'render of minimal     8.0 ms',
    ]);
  });
});

describe('median', () => {
  it('is the middle of the sorted values', () => {
    expect(median([30, 1, 200])).to.equal(30);
  });

  it('refuses an empty list', () => {
    expect(() => median([])).to.throw('no median');
  });
});
