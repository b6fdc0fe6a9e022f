import { expect } from 'chai';
import fc from 'fast-check';
import { WorkQueue, runWorkers } from './queue.ts';
import type { QueueDeps, QueueObserver } from './queue.ts';
import { FakeClock, settled } from './testing/fake-clock.ts';

const BACKOFF = { firstMs: 1_000, lastMs: 300_000 };
const FREE = { burst: 1_000, refillMs: 1 };

function queueOn(clock: FakeClock, deps: Partial<QueueDeps> = {}): WorkQueue {
  return new WorkQueue({ clock, random: () => 0.5, backoff: BACKOFF, pace: FREE, ...deps });
}

/** The keys that can be taken without waiting; they stay in processing. */
async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) keys.push((await queue.take()) ?? 'closed');
  return keys;
}

describe('WorkQueue', () => {
  it('hands out keys in the order in which they came', async () => {
    const queue = queueOn(new FakeClock());

    for (const key of ['b', 'a', 'c']) queue.add(key);

    expect(await takeAll(queue)).to.deep.equal(['b', 'a', 'c']);
  });

  it('hands out an urgent key before those that wait, but not twice in a row', async () => {
    const queue = queueOn(new FakeClock());

    for (const key of ['a', 'b', 'c']) queue.add(key);
    for (const key of ['x', 'y']) queue.add(key, { isUrgent: true });

    expect(await takeAll(queue)).to.deep.equal(['x', 'a', 'y', 'b', 'c']);
  });

  it('does not count an urgent key that was the oldest as one that overtook', async () => {
    const queue = queueOn(new FakeClock());

    queue.add('x', { isUrgent: true });
    queue.add('a');
    queue.add('y', { isUrgent: true });

    expect(await takeAll(queue)).to.deep.equal(['x', 'y', 'a']);
  });

  it('lets a key that waits overtake the others once it becomes urgent', async () => {
    const queue = queueOn(new FakeClock());

    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.add('c', { isUrgent: true });

    expect(await takeAll(queue)).to.deep.equal(['c', 'a', 'b']);
  });

  it('remembers that a key is urgent while it runs or is slowed down, and no longer', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock, { pace: { burst: 1, refillMs: 500 } });
    queue.add('a');
    await takeAll(queue);
    queue.add('a', { isUrgent: true });
    queue.done('a');
    queue.add('b');
    await clock.advance(500);
    const first = await takeAll(queue);
    for (const key of first) queue.done(key);

    await clock.advance(1_000);
    queue.add('b');
    queue.add('a');

    expect([first, await takeAll(queue)]).to.deep.equal([
      ['a', 'b'],
      ['b', 'a'],
    ]);
  });

  describe('with a worker for what is urgent', () => {
    const reserving = (): WorkQueue => queueOn(new FakeClock(), { mostCalm: 1 });

    it('leaves one to urgent keys, and hands out the others one after the other', async () => {
      const queue = reserving();
      for (const key of ['a', 'b']) queue.add(key);
      await queue.take();
      const waiting = queue.take();
      await settled();
      const heldBack = queue.depth;
      queue.add('c', { isUrgent: true });

      expect([heldBack, await waiting]).to.deep.equal([1, 'c']);
      queue.done('a');
      expect(await queue.take()).to.equal('b');
    });

    it('hands out at once what becomes urgent while it waits', async () => {
      const queue = reserving();
      for (const key of ['a', 'b']) queue.add(key);
      await queue.take();
      const waiting = queue.take();
      await settled();

      queue.add('b', { isUrgent: true });

      expect(await waiting).to.equal('b');
    });

    it('hands out the next one as soon as one is done', async () => {
      const queue = reserving();
      for (const key of ['a', 'b']) queue.add(key);
      await queue.take();
      const waiting = queue.take();

      queue.done('a');

      expect(await waiting).to.equal('b');
    });
  });

  describe('with keys that take long', () => {
    const heavyQueue = (most: number): WorkQueue =>
      queueOn(new FakeClock(), { heavy: { is: (key) => key.startsWith('heavy'), most } });

    it('runs few of them at once, and hands out what waits behind them', async () => {
      const queue = heavyQueue(1);
      for (const key of ['heavy-a', 'heavy-b', 'c', 'heavy-d', 'e']) queue.add(key);

      const taken = [await queue.take(), await queue.take(), await queue.take()];

      expect(taken).to.deep.equal(['heavy-a', 'c', 'e']);
      expect(queue.depth).to.equal(2);
    });

    it('hands out the next one as soon as one is done', async () => {
      const queue = heavyQueue(2);
      for (const key of ['heavy-a', 'heavy-b', 'heavy-c', 'heavy-d']) queue.add(key);
      await queue.take();
      await queue.take();
      const waiting = queue.take();

      queue.done('heavy-b');

      expect(await waiting).to.equal('heavy-c');
    });

    it('keeps them back also when they are urgent, and other urgent ones not', async () => {
      const queue = heavyQueue(1);
      for (const key of ['heavy-a', 'b']) queue.add(key);
      await queue.take();
      for (const key of ['heavy-c', 'd']) queue.add(key, { isUrgent: true });

      expect([await queue.take(), await queue.take()]).to.deep.equal(['d', 'b']);
      queue.done('heavy-a');
      expect(await queue.take()).to.equal('heavy-c');
    });

    it('counts one as what it was when it was taken, whatever it has become', async () => {
      const heavy = new Set(['a', 'b']);
      const queue = queueOn(new FakeClock(), { heavy: { is: (key) => heavy.has(key), most: 1 } });
      for (const key of ['a', 'b']) queue.add(key);
      await queue.take();
      heavy.delete('a');
      const waiting = queue.take();
      await settled();
      const whileRunning = queue.depth;

      queue.done('a');

      expect([whileRunning, await waiting]).to.deep.equal([1, 'b']);
    });
  });

  it('runs a key once that was added several times before it was taken', async () => {
    const queue = queueOn(new FakeClock());

    queue.add('a');
    queue.add('a');

    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('keeps a key that is added while it runs until the run is done', async () => {
    const queue = queueOn(new FakeClock());
    queue.add('a');
    await queue.take();

    queue.add('a');
    const whileRunning = queue.depth;
    queue.done('a');

    expect(whileRunning).to.equal(0);
    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('puts a key that is added again behind those that wait', async () => {
    const queue = queueOn(new FakeClock());
    queue.add('noisy');
    await queue.take();

    queue.add('noisy');
    queue.add('quiet');
    queue.done('noisy');

    expect(await takeAll(queue)).to.deep.equal(['quiet', 'noisy']);
  });

  it('gives a key to a worker that waits already', async () => {
    const queue = queueOn(new FakeClock());
    const taken = queue.take();

    queue.add('a');

    expect(await taken).to.equal('a');
  });

  it('keeps a delayed key back until its time has come', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock);
    queue.addAfter('a', 1_000);

    await clock.advance(999);
    const before = queue.depth;
    await clock.advance(1);

    expect([before, queue.depth]).to.deep.equal([0, 1]);
  });

  it('takes the shortest of several delays of one key', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock);

    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 3_000);
    await clock.advance(1_000);

    expect(await takeAll(queue)).to.deep.equal(['a']);
    expect(clock.sleeping).to.equal(0);
  });

  it('hands out each delayed key in its own time', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock);
    queue.addAfter('late', 5_000);
    queue.addAfter('soon', 1_000);

    await clock.advance(1_000);
    const first = await takeAll(queue);
    await clock.advance(3_999);
    const meanwhile = queue.depth;
    await clock.advance(1);

    expect([first, meanwhile, await takeAll(queue)]).to.deep.equal([['soon'], 0, ['late']]);
  });

  it('delays no longer than the back-off allows, whatever it is asked for', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock, { backoff: { firstMs: 1_000, lastMs: 2_000 } });
    for (let failure = 0; failure < 9; failure += 1) queue.addBackedOff('a', 60_000);

    await clock.advance(3_000);

    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('forgets the delay of a key that runs earlier for another reason', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock);
    queue.addAfter('a', 1_000);

    queue.add('a');
    await takeAll(queue);
    queue.done('a');
    await clock.advance(10_000);

    expect(queue.depth).to.equal(0);
  });

  it('doubles the delay with each failure up to the longest one, and starts anew after forget', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock);
    const delays: number[] = [];
    const failAndWait = async (): Promise<void> => {
      const startMs = clock.nowMs();
      queue.addBackedOff('a');
      while (queue.depth === 0) await clock.advance(500);
      delays.push(clock.nowMs() - startMs);
      await takeAll(queue);
      queue.done('a');
    };

    for (let failure = 0; failure < 10; failure += 1) await failAndWait();
    queue.forget('a');
    await failAndWait();

    expect(delays.map((ms) => ms / 1_000)).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 1]);
  });

  it('lets a burst of one key pass and then slows it down, without slowing others', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock, { pace: { burst: 3, refillMs: 500 } });
    let runs = 0;
    for (let step = 0; step < 98; step += 1) {
      queue.add('flapping');
      for (const key of await takeAll(queue)) {
        runs += 1;
        queue.done(key);
      }
      await clock.advance(50);
    }

    queue.add('calm');

    // 3 at once and then one each 500 ms of the 4.9 s.
    expect(runs).to.equal(12);
    expect(await takeAll(queue)).to.deep.equal(['calm']);
  });

  it('does not slow down what is urgent right after a burst', async () => {
    const queue = queueOn(new FakeClock(), { pace: { burst: 1, refillMs: 500, reserve: 1 } });
    queue.add('a');
    for (const key of await takeAll(queue)) queue.done(key);
    queue.add('a');
    const isSlowed = queue.depth === 0;

    queue.add('a', { isUrgent: true });

    expect([isSlowed, await takeAll(queue)]).to.deep.equal([true, ['a']]);
  });

  it('loses no key to the slowing down', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock, { pace: { burst: 1, refillMs: 500 } });
    queue.add('a');
    await takeAll(queue);
    queue.add('a');
    queue.done('a');
    const atOnce = queue.depth;

    await clock.advance(500);

    expect(atOnce).to.equal(0);
    expect(await takeAll(queue)).to.deep.equal(['a']);
  });

  it('ends all waiting workers and its timer when it is closed, and takes nothing more', async () => {
    const clock = new FakeClock();
    const queue = queueOn(clock);
    const waiting = [queue.take(), queue.take()];
    queue.addAfter('a', 1_000);

    queue.close();
    queue.add('b');

    expect(await Promise.all(waiting)).to.deep.equal([undefined, undefined]);
    expect(await queue.take()).to.equal(undefined);
    expect([queue.depth, clock.sleeping]).to.deep.equal([0, 0]);
  });

  it('tells its observer what is added, retried, taken and done after what time, and how deep it is', async () => {
    const clock = new FakeClock();
    const told: string[] = [];
    const observer = {
      added: () => void told.push('added'),
      retried: () => void told.push('retried'),
      taken: (waitedMs: number) => void told.push(`taken after ${waitedMs}`),
      done: (workedMs: number) => void told.push(`done after ${workedMs}`),
      depthChanged: (depth: number) => void told.push(`depth ${depth}`),
      runs: () => undefined,
    };
    const queue = queueOn(clock, { observer });

    queue.add('a');
    await clock.advance(20);
    queue.add('a');
    await queue.take();
    queue.addBackedOff('a');
    await clock.advance(5);
    queue.done('a');

    expect(told).to.deep.equal(['added', 'depth 1', 'taken after 20', 'depth 0', 'retried', 'done after 5']);
  });

  it('answers at any time how long each run has taken that is going on', async () => {
    const clock = new FakeClock();
    let agesMs: () => readonly number[] = () => [-1];
    const observer: QueueObserver = {
      added: () => undefined,
      retried: () => undefined,
      taken: () => undefined,
      done: () => undefined,
      depthChanged: () => undefined,
      runs: (asked) => {
        agesMs = asked;
      },
    };
    const queue = queueOn(clock, { observer });
    const seen: (readonly number[])[] = [agesMs()];

    queue.add('a');
    await queue.take();
    await clock.advance(70);
    queue.add('b');
    await queue.take();
    await clock.advance(30);
    seen.push(agesMs());
    queue.done('a');
    seen.push(agesMs());

    expect(seen).to.deep.equal([[], [100, 30], [30]]);
  });
});

describe('runWorkers', () => {
  it('never runs one key twice at once, never more keys than workers, and runs every key after its last add', async () => {
    const action = fc.oneof(
      fc.record({ add: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ waitMs: fc.integer({ min: 1, max: 300 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        async (actions, workers) => {
          const clock = new FakeClock();
          const queue = queueOn(clock, { pace: { burst: 2, refillMs: 100 } });
          const running = new Set<string>();
          const lastAdd = new Map<string, number>();
          const lastStart = new Map<string, number>();
          let step = 0;
          const working = runWorkers(queue, workers, async (key) => {
            expect(running.has(key)).to.equal(false);
            running.add(key);
            expect(running.size).to.be.at.most(workers);
            lastStart.set(key, (step += 1));
            await clock.sleep(40, new AbortController().signal);
            running.delete(key);
          });

          for (const next of actions) {
            if ('add' in next) {
              lastAdd.set(next.add, (step += 1));
              queue.add(next.add);
            } else {
              await clock.advance(next.waitMs);
            }
          }
          await clock.advance(60_000);
          queue.close();
          await working;

          for (const [key, added] of lastAdd) expect(lastStart.get(key)).to.be.greaterThan(added);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('frees a key although its handler failed', async () => {
    const queue = queueOn(new FakeClock());
    queue.add('a');

    const outcome = await runWorkers(queue, 1, async () => {
      throw new Error('a fault in the handler');
    }).catch((error: unknown) => error);
    queue.add('a');
    await settled();

    expect(outcome).to.be.instanceOf(Error);
    expect(queue.depth).to.equal(1);
  });
});
