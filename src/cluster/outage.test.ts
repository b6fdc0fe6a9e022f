import { expect } from 'chai';
import { FakeClock, settled } from '../controller/testing/fake-clock.ts';
import { Outage } from './outage.ts';

const LONG_MS = 16_000;

describe('an outage', () => {
  let clock: FakeClock;
  let outage: Outage;
  /** Who went on, in order. */
  let tries: string[];
  let stop: AbortController;

  const pause = async (name: string, { isAway = true } = {}): Promise<void> => {
    const { recoveries } = outage;
    await outage.pause({ ms: LONG_MS, recoveries, isAway, signal: stop.signal });
    tries.push(name);
  };
  const open = async (forMs = Infinity): Promise<AbortController> => {
    const end = new AbortController();
    outage.answered();
    outage.opened(end.signal);
    await clock.advance(Math.min(forMs, 250));
    if (forMs < Infinity) end.abort();
    return end;
  };

  beforeEach(() => {
    clock = new FakeClock();
    outage = new Outage({ clock, random: () => 0 });
    tries = [];
    stop = new AbortController();
  });

  it('lets those that wait try one at a time, the longest first', async () => {
    for (const name of ['a', 'b', 'c']) void pause(name);
    await clock.advance(499);
    const early = [...tries];
    await clock.advance(1);
    void pause('a again');
    await clock.advance(1_500);

    expect([early, tries]).to.deep.equal([[], ['a', 'b', 'c', 'a again']]);
  });

  it('ends for all as soon as a watch holds', async () => {
    for (const name of ['a', 'b', 'c']) void pause(name);

    await open();

    expect(tries).to.deep.equal(['a', 'b', 'c']);
    expect([outage.isOver, outage.recoveries]).to.deep.equal([true, 1]);
  });

  it('is over for whoever failed before and comes to pause only then', async () => {
    const { recoveries } = outage;
    await open();

    await outage.pause({ ms: LONG_MS, recoveries, isAway: true, signal: stop.signal });

    expect(clock.sleeping).to.equal(0);
  });

  it('does not end by a watch that is cut at once, as by a proxy whose server is away', async () => {
    for (const name of ['a', 'b', 'c']) void pause(name);

    await open(249);
    await clock.advance(250);

    expect([tries.length, outage.recoveries]).to.deep.equal([0, 0]);
  });

  it('brings those back within a moment that waited together', async () => {
    let share = 0;
    outage = new Outage({ clock, random: () => (share += 0.25) });
    const back: number[] = [];
    // The knocking takes the first number.
    for (let count = 0; count < 3; count += 1) void pause('').then(() => back.push(clock.nowMs()));
    await open();
    const startMs = clock.nowMs();
    await clock.advance(200);

    expect(back.map((ms) => ms - startMs)).to.deep.equal([100, 150, 200]);
  });

  it('sends nobody while another watch is open, and begins anew when the last one ended', async () => {
    const watches = [await open(), await open()];
    void pause('a');
    watches[0]?.abort();
    await clock.advance(5_000);
    const early = [...tries];
    watches[1]?.abort();
    await clock.advance(500);

    expect([early, tries]).to.deep.equal([[], ['a']]);
  });

  it('sends nobody whose failure was no sign of a server that is away, but brings them back', async () => {
    void pause('refused', { isAway: false });
    await clock.advance(5_000);
    const early = [...tries];

    await open();

    expect([early, tries]).to.deep.equal([[], ['refused']]);
  });

  it('is waited out when it does not end', async () => {
    const watch = await open();
    void pause('a');
    await clock.advance(LONG_MS - 1);
    const early = [...tries];
    await clock.advance(1);
    watch.abort();

    expect([early, tries]).to.deep.equal([[], ['a']]);
  });

  describe('may be the restore of a backup', () => {
    it('when a watch cannot be opened and none is open', async () => {
      let told = 0;
      const stopListening = outage.onAbsence(() => (told += 1));
      const watch = await open();
      outage.missed();
      const early = outage.absences;
      watch.abort();
      outage.missed();
      outage.missed();
      stopListening();
      outage.missed();

      expect([early, outage.absences, told]).to.deep.equal([0, 3, 2]);
    });

    it('when no watch was open for a second, although none was refused', async () => {
      (await open()).abort();
      await clock.advance(1_000);
      await open();

      expect(outage.absences).to.equal(1);
    });

    it('but not when all watches are cut and soon open again', async () => {
      (await open()).abort();
      await clock.advance(999);
      await open();

      expect(outage.absences).to.equal(0);
    });

    it('and is told once, however long those that were answered list before a watch is open', async () => {
      (await open()).abort();
      for (let round = 0; round < 3; round += 1) {
        await clock.advance(1_000);
        outage.answered();
      }
      await open();

      expect(outage.absences).to.equal(1);
    });

    it('and is told once by those that find it over, whatever was refused before', async () => {
      (await open()).abort();
      outage.missed();
      await clock.advance(5_000);
      await open();

      expect(outage.absences).to.equal(1);
    });
  });

  it('leaves nothing behind when those that wait are stopped', async () => {
    const watch = await open();
    watch.abort();
    for (const name of ['a', 'b']) void pause(name);
    await settled();

    stop.abort();
    await settled();

    expect([tries, clock.sleeping]).to.deep.equal([['a', 'b'], 0]);
  });
});
