import { expect } from 'chai';
import { mapParallel, settleAll } from './parallel.ts';

describe('mapParallel', () => {
  it('keeps the order of the items, whichever is done first', async () => {
    const slowFirst = async (item: number): Promise<number> => {
      for (let turn = 0; turn < 5 - item; turn += 1) await Promise.resolve();
      return item * 10;
    };

    expect(await mapParallel([1, 2, 3, 4], 3, slowFirst)).to.deep.equal([10, 20, 30, 40]);
  });

  it('starts no more after a failure, and throws only when all that began has ended', async () => {
    const ended: number[] = [];
    const work = async (item: number): Promise<void> => {
      if (item === 1) throw new Error('first');
      await Promise.resolve();
      ended.push(item);
    };

    const error: unknown = await mapParallel([1, 2, 3, 4], 2, work).catch((thrown: unknown) => thrown);

    expect(error).to.be.instanceOf(Error).with.property('message', 'first');
    expect(ended).to.deep.equal([2]);
  });

  it('makes nothing of nothing', async () => {
    expect(await mapParallel([], 6, async () => Promise.reject(new Error('called')))).to.deep.equal([]);
  });
});

describe('settleAll', () => {
  it('gives all results in order', async () => {
    expect(await settleAll([Promise.resolve(1), Promise.resolve(2)])).to.deep.equal([1, 2]);
  });
});
