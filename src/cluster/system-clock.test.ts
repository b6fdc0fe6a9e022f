import { expect } from 'chai';
import { systemClock } from './system-clock.ts';

describe('the system clock', () => {
  it('wakes a sleeper when its signal is aborted', async () => {
    const caller = new AbortController();

    const sleep = systemClock.sleep(3_600_000, caller.signal);
    caller.abort();

    // Mocha's time-out is what fails if it sleeps on.
    await sleep;
  });

  it('does not sleep at all when the signal was aborted before', async () => {
    await systemClock.sleep(3_600_000, AbortSignal.abort());
  });

  it('takes a time that is over for none, without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);

    await systemClock.sleep(-5, new AbortController().signal);
    await new Promise(setImmediate);
    process.off('warning', note);

    expect(warnings).to.deep.equal([]);
  });

  it('never goes back', () => {
    const times = Array.from({ length: 100 }, () => systemClock.nowMs());

    expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
  });
});
