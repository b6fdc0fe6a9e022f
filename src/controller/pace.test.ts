import { expect } from 'chai';
import { Pace } from './pace.ts';

describe('Pace', () => {
  it('says exactly how long to wait for the next token', () => {
    const pace = new Pace({ burst: 1, refillMs: 500 });
    pace.take('a', 0);

    const waitMs = pace.take('a', 200);

    expect(waitMs).to.equal(300);
    expect(pace.take('a', 200 + waitMs)).to.equal(0);
  });

  it('never saves up more than a burst', () => {
    const pace = new Pace({ burst: 2, refillMs: 500 });
    pace.take('a', 0);

    const waits = [0, 1, 2].map(() => pace.take('a', 3_600_000));

    expect(waits).to.deep.equal([0, 0, 500]);
  });

  it('lets some more pass that are urgent, and lets the others wait for that', () => {
    const pace = new Pace({ burst: 2, refillMs: 500, reserve: 2 });
    const take = (isUrgent: boolean): number => pace.take('a', 0, isUrgent);

    const waits = [take(false), take(false), take(false), take(true), take(true), take(true), take(false)];

    expect(waits).to.deep.equal([0, 0, 500, 0, 0, 500, 1_500]);
  });

  it('keeps in mind only keys that were busy lately', () => {
    const pace = new Pace({ burst: 2, refillMs: 500 });
    pace.take('old', 0);
    pace.take('new', 900);

    pace.sweep(1_000);

    expect(pace.size).to.equal(1);
    expect(pace.take('new', 1_000)).to.equal(0);
  });
});
