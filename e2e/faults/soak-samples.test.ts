import { expect } from 'chai';
import type { SoakSample } from './soak-samples.ts';
import { leaksOf, trendOf } from './soak-samples.ts';

const MINUTE_MS = 60_000;

/** One round a minute; each sign as told, otherwise steady. */
function rounds(count: number, signs: (round: number) => Partial<SoakSample>): readonly SoakSample[] {
  return Array.from({ length: count }, (_, round) => ({
    atMs: round * MINUTE_MS,
    heldMib: 40,
    residentMib: 130,
    sockets: 30,
    timers: 20,
    listeners: 140,
    signals: 110,
    emitters: 270,
    loopLateMs: 5,
    ...signs(round),
  }));
}

describe('trendOf', () => {
  it('tells growth by the hour, and does not take the warm-up for it', () => {
    const samples = rounds(80, (round) => ({
      heldMib: round < 20 ? 30 + round : 50 + round / 30,
      sockets: round < 20 ? round : 30,
      loopLateMs: round < 20 ? 500 : 5,
    }));

    const trend = trendOf(samples);

    expect(trend.heldMibPerHour).to.be.closeTo(2, 1e-9);
    expect(trend.residentMibPerHour).to.equal(0);
    expect(trend.growth).to.deep.equal({ sockets: 0, timers: 0, listeners: 0, signals: 0, emitters: 0 });
    expect(trend.loopLateMs).to.equal(5);
  });
});

describe('leaksOf', () => {
  it('names what every round leaves behind', () => {
    expect(leaksOf(rounds(9, (round) => ({ listeners: 100 + 2 * round })))).to.deep.equal([
      '12 more listeners',
    ]);
  });

  it('takes no offence at what comes and goes', () => {
    expect(leaksOf(rounds(9, (round) => ({ sockets: 30 + (round % 2), timers: 20 - round })))).to.deep.equal(
      [],
    );
  });
});
