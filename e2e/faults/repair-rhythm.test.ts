import { expect } from 'chai';
import { rhythmOf } from './repair-rhythm.ts';

describe('rhythmOf', () => {
  it('counts what comes before the first pause', () => {
    expect(rhythmOf([0, 10, 20, 1_020, 3_020], 500)).to.deep.equal({ atOnce: 3, shortestPauseMs: 1_000 });
  });

  it('tells of what comes too early after a pause', () => {
    expect(rhythmOf([0, 600, 610, 2_000], 500)).to.deep.equal({ atOnce: 1, shortestPauseMs: 10 });
  });

  it('counts everything where there is no pause', () => {
    expect(rhythmOf([0, 400, 800], 500)).to.deep.equal({ atOnce: 3, shortestPauseMs: Infinity });
    expect(rhythmOf([], 500)).to.deep.equal({ atOnce: 0, shortestPauseMs: Infinity });
  });
});
