import { expect } from 'chai';
import { FakeClock, settled } from '../controller/testing/fake-clock.ts';
import { startDeadline } from './deadline.ts';

describe('startDeadline', () => {
  let clock: FakeClock;
  let caller: AbortController;
  beforeEach(() => {
    clock = new FakeClock();
    caller = new AbortController();
  });

  it('ends when the time is over, not before, and says so', async () => {
    const deadline = startDeadline(clock, caller.signal, 1_000);

    await clock.advance(999);
    const before = [deadline.signal.aborted, deadline.isExpired(), deadline.remainingMs()];
    await clock.advance(1);

    expect(before).to.deep.equal([false, false, 1]);
    expect([deadline.signal.aborted, deadline.isExpired(), deadline.remainingMs()]).to.deep.equal([
      true,
      true,
      0,
    ]);
    expect(deadline.timeoutMs).to.equal(1_000);
  });

  it('ends at once with its caller, and calls that no time-out, also later', async () => {
    const deadline = startDeadline(clock, caller.signal, 1_000);

    caller.abort();
    const atOnce = deadline.signal.aborted;
    await clock.advance(5_000);

    expect([atOnce, deadline.isExpired(), deadline.remainingMs()]).to.deep.equal([true, false, 0]);
  });

  it('has ended already when its caller had', async () => {
    caller.abort();

    const deadline = startDeadline(clock, caller.signal, 1_000);

    expect([deadline.signal.aborted, deadline.isExpired()]).to.deep.equal([true, false]);
  });

  it('waits for nothing any more, and hears nobody, once the work is done', async () => {
    const deadline = startDeadline(clock, caller.signal, 1_000);

    deadline.end();
    await settled();
    const sleeping = clock.sleeping;
    caller.abort();
    await clock.advance(1_000);

    expect([sleeping, deadline.signal.aborted, deadline.isExpired()]).to.deep.equal([0, false, false]);
  });
});
