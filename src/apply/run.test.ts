import { expect } from 'chai';
import type { BoundedRun } from './run.ts';
import { pollUntil } from './run.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { JumpingClock } from './testing/jumping-clock.ts';

function start(
  deadlineMs: number,
  signal = new AbortController().signal,
): BoundedRun & { clock: JumpingClock } {
  const polling = { fastMs: 10, fastForMs: 30, slowMs: 50 };
  return { cluster: new InMemoryApi(), clock: new JumpingClock(), signal, polling, deadlineMs };
}

describe('pollUntil', () => {
  it('takes the first value without a pause', async () => {
    const run = start(1_000);

    expect(await pollUntil(run, async () => 'value')).to.equal('value');
    expect(run.clock.pauses).to.deep.equal([]);
  });

  it('tries once although the deadline is now', async () => {
    let tries = 0;

    const value = await pollUntil(start(0), async () => {
      tries += 1;
      return undefined;
    });

    expect([value, tries]).to.deep.equal([undefined, 1]);
  });

  it('pauses shortly at first, longer later, and tries last at the deadline', async () => {
    const run = start(100);
    const triedAt: number[] = [];

    await pollUntil(run, async () => {
      triedAt.push(run.clock.nowMs());
      return undefined;
    });

    expect(triedAt).to.deep.equal([0, 10, 20, 30, 80, 100]);
  });

  it('stops with an error when it is cancelled', async () => {
    const stop = new AbortController();
    const run = start(1_000, stop.signal);
    let tries = 0;

    const error: unknown = await pollUntil(run, async () => {
      tries += 1;
      stop.abort();
      return undefined;
    }).catch((thrown: unknown) => thrown);

    expect(error).to.deep.include({ kind: 'cancelled' });
    expect(tries).to.equal(1);
  });
});
