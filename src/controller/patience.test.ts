import { expect } from 'chai';
import { Patience } from './patience.ts';

describe('Patience', () => {
  const at = (nowMs: number, isOver = false): { nowMs: number; isOver: boolean } => ({ nowMs, isOver });

  it('counts from the first time that it hears of a subject', () => {
    const patience = new Patience();

    const waits = [10, 40].map((nowMs) => patience.waitedMs('a', 'istiod', at(nowMs)));

    expect(waits).to.deep.equal([0, 30]);
  });

  it('starts anew when something else is waited for', () => {
    const patience = new Patience();
    patience.waitedMs('a', 'istiod', at(0));

    expect(patience.waitedMs('a', 'the gateway', at(1_000, true))).to.equal(0);
  });

  it('goes on where an earlier process had lost its patience', () => {
    const patience = new Patience();

    expect(patience.waitedMs('a', 'istiod', at(5, true))).to.equal(Infinity);
    expect(patience.waitedMs('a', 'istiod', at(6, true))).to.equal(Infinity);
  });

  it('forgets a resource', () => {
    const patience = new Patience();
    patience.waitedMs('a', 'istiod', at(0));

    patience.forget('a');

    expect(patience.waitedMs('a', 'istiod', at(1_000))).to.equal(0);
  });
});
