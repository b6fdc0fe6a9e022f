import { expect } from 'chai';
import { setImmediate } from 'node:timers';
import { createTurns } from './turns.ts';

describe('createTurns', () => {
  it('gives each caller a turn of its own, in order', async () => {
    const turn = createTurns();
    const seen: string[] = [];
    const count = (): void => {
      seen.push('turn');
      if (seen.length < 12) setImmediate(count);
    };
    setImmediate(count);

    await Promise.all(['a', 'b', 'c'].map(async (name) => turn(1).then(() => seen.push(name))));

    const between = seen.join(' ').split(/ ?[abc] ?/u);
    expect(seen.filter((each) => each !== 'turn')).to.deep.equal(['a', 'b', 'c']);
    expect(between.slice(0, -1).every((turns) => turns.includes('turn'))).to.equal(true);
  });

  it('lets small work overtake, but not twice in a row while something older waits', async () => {
    const turn = createTurns();
    const order: string[] = [];
    const work = { first: 50, large: 200, small: 1, smaller: 0, middle: 9 };

    await Promise.all(
      Object.entries(work).map(async ([name, size]) => turn(size).then(() => order.push(name))),
    );

    expect(order).to.deep.equal(['smaller', 'first', 'small', 'large', 'middle']);
  });
});
