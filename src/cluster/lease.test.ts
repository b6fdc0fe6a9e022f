import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { FakeClock, settled } from '../controller/testing/fake-clock.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt, stringAt } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import type { LeaseStore } from './lease-store.ts';
import type { Leadership } from './lease.ts';
import { DEFAULT_LEASE_TIMES, acquireLease } from './lease.ts';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const WALL_MS = Date.UTC(2026, 10, 21, 5, 13, 58, 7);

/** One lease, with the API server's rules about resourceVersions. */
class MemoryLease implements LeaseStore {
  lease: JsonObject | undefined;
  /** Fails every call while set. */
  isDown = false;
  /** Leaves every call without an answer while set. */
  isHanging = false;
  reads = 0;
  #version = 0;
  readonly #listeners = new Set<() => void>();

  async read(signal: AbortSignal): Promise<JsonObject | undefined> {
    this.reads += 1;
    await this.#gate(signal);
    return this.lease;
  }

  async create(spec: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    await this.#gate(signal);
    if (this.lease !== undefined) throw conflict();
    return this.#store({ metadata: {}, spec });
  }

  async replace(lease: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    await this.#gate(signal);
    if (this.lease === undefined) throw new ClusterError('gone', { kind: 'absent', verb: 'update' });
    if (stringAt(lease, 'metadata', 'resourceVersion') !== String(this.#version)) throw conflict();
    return this.#store(lease);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get holder(): string | undefined {
    return stringAt(this.lease, 'spec', 'holderIdentity');
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  /** As somebody else would. */
  edit(spec: JsonObject): void {
    this.#store({ ...this.lease, spec: { ...mapAt(this.lease, 'spec'), ...spec } });
  }

  /** As somebody else would. */
  delete(): void {
    this.lease = undefined;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #store(lease: JsonObject): JsonObject {
    this.#version += 1;
    const metadata = { ...mapAt(lease, 'metadata'), resourceVersion: String(this.#version) };
    this.lease = { ...lease, metadata };
    this.#tell();
    return this.lease;
  }

  async #gate(signal: AbortSignal): Promise<void> {
    if (this.isHanging)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    if (signal.aborted) throw new ClusterError('cancelled', { kind: 'cancelled', verb: 'lease' });
    if (this.isDown) throw new ClusterError('down', { kind: 'unavailable', verb: 'lease' });
  }
}

/** Its sleeps never end, as if something had gone wrong with the timers. */
class StuckClock extends FakeClock {
  #passedMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#passedMs;
  }

  override sleep(): Promise<void> {
    return new Promise(() => undefined);
  }

  pass(ms: number): void {
    this.#passedMs += ms;
  }
}

function conflict(): ClusterError {
  return new ClusterError('changed', { kind: 'conflict', verb: 'lease' });
}

describe('acquireLease', () => {
  let store: MemoryLease;
  let clock: FakeClock;
  const end = (): AbortSignal => new AbortController().signal;
  const acquire = (identity: string, signal = end()): Promise<Leadership | undefined> =>
    acquireLease(
      { store, clock, wallClockMs: () => WALL_MS, random: () => 0, logger: SILENT },
      { ...DEFAULT_LEASE_TIMES, identity },
      signal,
    );
  const lead = async (identity: string): Promise<Leadership> => {
    const leadership = await acquire(identity);
    if (leadership === undefined) throw new Error(`${identity} does not lead`);
    return leadership;
  };
  /** Collects who becomes a leader, in order. */
  const queueUp = (leaders: string[], ...identities: readonly string[]): void => {
    for (const identity of identities) void acquire(identity).then(() => leaders.push(identity));
  };

  beforeEach(() => {
    store = new MemoryLease();
    clock = new FakeClock();
  });

  it('makes the lease, with times in the form that the API wants', async () => {
    await lead('a');

    expect(mapAt(store.lease, 'spec')).to.deep.equal({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      renewTime: '2026-11-21T05:13:58.007000Z',
      acquireTime: '2026-11-21T05:13:58.007000Z',
      leaseTransitions: 0,
    });
  });

  it('lets only one of several lead, also when they come at once', async () => {
    const leaders: string[] = [];

    queueUp(leaders, 'a', 'b', 'c');
    await clock.advance(60_000);

    expect(leaders).to.have.length(1);
    expect(store.holder).to.equal(leaders[0]);
  });

  it('keeps the lease for as long as it is renewed, even if its clock stands still', async () => {
    const leadership = await lead('a');
    const leaders: string[] = [];
    queueUp(leaders, 'b');

    await clock.advance(600_000);

    expect(leaders).to.deep.equal([]);
    expect(leadership.isLeader()).to.equal(true);
  });

  it('hands over at once when it is released, without waiting for the next look', async () => {
    const leadership = await lead('a');
    const leaders: string[] = [];
    queueUp(leaders, 'b');
    await clock.advance(500);

    await leadership.release();
    await settled();

    expect(leaders).to.deep.equal(['b']);
    expect(leadership.isLeader()).to.equal(false);
    expect(leadership.ended.aborted).to.equal(true);
    expect(mapAt(store.lease, 'spec')['leaseTransitions']).to.equal(1);
  });

  it('is given back only when every write under way has ended', async () => {
    const leadership = await lead('a');
    const writes = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const { promise } of writes) leadership.sent(promise);

    const released = leadership.release();
    const holders: unknown[] = [];
    for (const { resolve } of writes) {
      await settled();
      holders.push(store.holder);
      resolve();
    }
    await released;

    expect(holders).to.deep.equal(['a', 'a']);
    expect(store.holder).to.equal('');
  });

  it('is left to run out when a write outlives the time of its leader', async () => {
    const leadership = await lead('a');
    const write = Promise.withResolvers<void>();
    leadership.sent(write.promise);

    const released = leadership.release();
    await clock.advance(10_000);
    write.resolve();
    await released;

    expect(store.holder).to.equal('a');
  });

  it('is given back also when it was stored last without our knowing, as by a renewal that was cut off', async () => {
    const leadership = await lead('a');
    store.edit({ renewTime: '2026-11-21T05:14:00.000000Z' });

    await leadership.release();

    expect(store.holder).to.equal('');
  });

  it('is left alone on release when somebody else holds it by then', async () => {
    const leadership = await lead('a');
    store.edit({ holderIdentity: 'b' });

    await leadership.release();

    expect(store.holder).to.equal('b');
  });

  it('hands over after a crash when the lease has run out, not before', async () => {
    const leaders: string[] = [];
    store.lease = {
      metadata: { resourceVersion: '0' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15 },
    };
    queueUp(leaders, 'b');

    await clock.advance(14_900);
    const early = [...leaders];
    await clock.advance(2_100);

    expect(early).to.deep.equal([]);
    expect(leaders).to.deep.equal(['b']);
  });

  it('takes over as soon as the lease of a crashed leader has run out, whenever the last look was', async () => {
    const leaders: string[] = [];
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 15 };
    store.lease = { metadata: { resourceVersion: '0' }, spec };
    queueUp(leaders, 'b');
    await clock.advance(1_500);
    store.edit({ renewTime: '2026-11-21T05:14:00.000000Z' });

    await clock.advance(14_900);
    const early = [...leaders];
    await clock.advance(200);

    expect(early).to.deep.equal([]);
    expect(leaders).to.deep.equal(['b']);
  });

  it('trusts no clock of another machine', async () => {
    const leaders: string[] = [];
    const spec = {
      holderIdentity: 'dead',
      leaseDurationSeconds: 15,
      renewTime: '1999-01-01T00:00:00.000000Z',
    };
    store.lease = { metadata: { resourceVersion: '0' }, spec };
    queueUp(leaders, 'b');

    await clock.advance(10_000);

    expect(leaders).to.deep.equal([]);
  });

  it('does not write any more once renewal is overdue, even before anybody noticed', async () => {
    const leadership = await lead('a');
    store.isHanging = true;

    await clock.advance(9_999);
    const before = [leadership.isLeader(), leadership.remainingMs()];
    await clock.advance(1);

    expect(before).to.deep.equal([true, 3_001]);
    expect([leadership.isLeader(), leadership.remainingMs()]).to.deep.equal([false, 0]);
    expect(leadership.ended.aborted).to.equal(true);
  });

  it('is no leader after the process was stopped for long, before it did anything', async () => {
    const leadership = await lead('a');
    store.isDown = true;

    const frozen = clock.advance(20_000);
    await frozen;

    expect(leadership.isLeader()).to.equal(false);
    expect(leadership.remainingMs()).to.equal(0);
  });

  it('survives a server that is away for less than the deadline', async () => {
    const leadership = await lead('a');
    store.isDown = true;
    await clock.advance(7_000);

    store.isDown = false;
    await clock.advance(60_000);

    expect(leadership.isLeader()).to.equal(true);
  });

  it('counts from the start of a renewal, not from its answer', async () => {
    const leadership = await lead('a');

    await clock.advance(1_500);

    expect(leadership.remainingMs()).to.equal(15_000 - 2_000 - 1_500);
  });

  it('ends as soon as another holder is seen', async () => {
    const leadership = await lead('a');
    store.edit({ holderIdentity: 'thief' });

    await clock.advance(2_000);

    expect(leadership.ended.aborted).to.equal(true);
    expect(store.holder).to.equal('thief');
  });

  const TAMPERINGS: Readonly<Record<string, (lease: MemoryLease) => void>> = {
    'is deleted': (lease) => lease.delete(),
    'is emptied': (lease) => lease.edit({ holderIdentity: '' }),
    'is given to the follower': (lease) => lease.edit({ holderIdentity: 'b' }),
    'is cut short': (lease) => lease.edit({ leaseDurationSeconds: 0 }),
    'is given to the follower for a second': (lease) =>
      lease.edit({ holderIdentity: 'b', leaseDurationSeconds: 1 }),
  };
  for (const [what, tamper] of Object.entries(TAMPERINGS)) {
    it(`is taken by nobody before the leader must have noticed when it ${what} by hand`, async () => {
      const leadership = await lead('a');
      const leaders: string[] = [];
      queueUp(leaders, 'b');
      await clock.advance(4_500);

      tamper(store);
      await settled();
      const atOnce = [...leaders];
      await clock.advance(4_000);
      const before = [...leaders];
      await clock.advance(60_000);

      expect([atOnce, before]).to.deep.equal([[], []]);
      // Whoever has it then, has it alone.
      expect(leaders).to.deep.equal(leadership.isLeader() ? [] : ['b']);
      expect(store.holder).to.equal(leadership.isLeader() ? 'a' : 'b');
    });
  }

  it('is taken after a while when it was given to somebody who does not exist', async () => {
    await lead('a');
    const leaders: string[] = [];
    queueUp(leaders, 'b');
    await clock.advance(4_500);

    store.edit({ holderIdentity: 'nobody' });
    await clock.advance(14_900);
    const early = [...leaders];
    await clock.advance(200);

    expect(early).to.deep.equal([]);
    expect(leaders).to.deep.equal(['b']);
  });

  it('makes the lease again when somebody deleted it', async () => {
    const leadership = await lead('a');
    store.lease = undefined;

    await clock.advance(4_000);

    expect(store.holder).to.equal('a');
    expect(leadership.isLeader()).to.equal(true);
  });

  it('keeps the lease after an edit that left the holder as it was', async () => {
    const leadership = await lead('a');
    store.edit({ strategy: 'x' });

    await clock.advance(30_000);

    expect(leadership.isLeader()).to.equal(true);
    expect(mapAt(store.lease, 'spec')).to.include({ holderIdentity: 'a', strategy: 'x' });
  });

  it('takes an empty lease at once', async () => {
    store.lease = { metadata: { resourceVersion: '0' }, spec: {} };

    await lead('a');

    expect(store.holder).to.equal('a');
  });

  it('can be lost and taken again', async () => {
    const first = await lead('a');
    store.isDown = true;
    await clock.advance(10_000);
    store.isDown = false;

    const again = acquire('a');
    await clock.advance(2_500);

    expect(first.isLeader()).to.equal(false);
    expect((await again)?.isLeader()).to.equal(true);
  });

  it('leaves the lease alone when it is released after it was lost', async () => {
    const leadership = await lead('a');
    store.edit({ holderIdentity: 'thief' });
    await clock.advance(2_000);

    await leadership.release();

    expect(store.holder).to.equal('thief');
  });

  it('stops waiting and watching when it is told to', async () => {
    await lead('a');
    const stop = new AbortController();
    const waiting = acquire('b', stop.signal);
    await clock.advance(1_000);
    const watchers = store.watchers;

    stop.abort();

    expect(await waiting).to.equal(undefined);
    expect([watchers, store.watchers]).to.deep.equal([1, 0]);
  });

  it('warns once when the lease cannot be reached', async () => {
    const logged: string[] = [];
    const logger = { ...SILENT, warn: () => logged.push('warn'), debug: () => logged.push('debug') };
    store.isDown = true;
    const deps = { store, clock, wallClockMs: () => WALL_MS, random: () => 0, logger };
    const stop = new AbortController();
    const waiting = acquireLease(deps, { ...DEFAULT_LEASE_TIMES, identity: 'a' }, stop.signal);

    await clock.advance(5_000);
    stop.abort();
    await waiting;

    expect(logged).to.deep.equal(['warn', 'debug', 'debug']);
  });

  describe('with a logger', () => {
    let logged: (readonly [string, string, unknown])[];
    const logger: Logger = {
      ...SILENT,
      debug: (message, fields) => void logged.push(['debug', message, fields]),
      warn: (message, fields) => void logged.push(['warn', message, fields]),
    };
    const acquireTelling = async (
      identity: string,
      signal = end(),
      random = 0,
    ): Promise<Leadership | undefined> =>
      acquireLease(
        { store, clock, wallClockMs: () => WALL_MS, random: () => random, logger },
        { ...DEFAULT_LEASE_TIMES, identity },
        signal,
      );
    const errorOf = (fields: unknown): unknown =>
      (fields as { readonly error?: { readonly kind?: unknown } } | undefined)?.error?.kind;

    beforeEach(() => {
      logged = [];
    });

    it('warns again, with the error, when the lease was reached in between', async () => {
      await acquireTelling('a');
      store.isDown = true;
      await clock.advance(4_000);
      store.isDown = false;
      await clock.advance(2_000);
      store.isDown = true;
      await clock.advance(2_000);

      expect(logged.map(([level, message, fields]) => [level, message, errorOf(fields)])).to.deep.equal([
        ['warn', 'the lease could not be read or written', 'unavailable'],
        ['debug', 'the lease could not be read or written', 'unavailable'],
        ['warn', 'the lease could not be read or written', 'unavailable'],
      ]);
    });

    it('says nothing about a call that it cut off itself when it was told to stop, and stops at once', async () => {
      const stop = new AbortController();
      store.isHanging = true;
      const waiting = acquireTelling('a', stop.signal);
      await settled();

      stop.abort();

      expect(await waiting).to.equal(undefined);
      expect(logged).to.deep.equal([]);
    });

    it('says nothing when another one was faster to make the lease, and warns when it cannot be made', async () => {
      const stop = new AbortController();
      const create = store.create.bind(store);
      store.create = async () => Promise.reject(conflict());
      const waiting = acquireTelling('a', stop.signal);
      await settled();
      const before = [...logged];
      store.create = async () =>
        Promise.reject(new ClusterError('no rights', { kind: 'forbidden', verb: 'create' }));
      await clock.advance(2_000);
      store.create = create;
      await clock.advance(2_000);

      expect((await waiting)?.isLeader()).to.equal(true);
      expect([before, logged.map(([level, , fields]) => [level, errorOf(fields)])]).to.deep.equal([
        [],
        [['warn', 'forbidden']],
      ]);
    });

    it('says who lost it', async () => {
      await acquireTelling('a');
      store.edit({ holderIdentity: 'thief' });

      await clock.advance(2_000);

      expect(logged).to.deep.equal([['warn', 'the lease was lost', { identity: 'a' }]]);
    });

    it('calls a release no loss', async () => {
      const leadership = await acquireTelling('a');

      await leadership?.release();

      expect(logged).to.deep.equal([]);
    });

    it('leaves the lease to run out when it cannot be given back, without another try', async () => {
      const leadership = await acquireTelling('a');
      store.isDown = true;
      const { reads } = store;

      await leadership?.release();

      expect(store.holder).to.equal('a');
      expect(store.reads).to.equal(reads);
      expect(logged.map(([level, message, fields]) => [level, message, errorOf(fields)])).to.deep.equal([
        ['debug', 'the lease could not be given back', 'unavailable'],
      ]);
    });

    it('tries again after up to a fifth more than the interval', async () => {
      store.isDown = true;
      void acquireTelling('a', end(), 1);

      await clock.advance(2_399);
      const before = store.reads;
      await clock.advance(1);

      expect([before, store.reads]).to.deep.equal([1, 2]);
    });
  });

  it('leaves no listeners and no timers behind, however long it waits or leads', async () => {
    const stop = new AbortController();
    await lead('a');
    void acquire('b', stop.signal);

    await clock.advance(60_000);

    expect(getEventListeners(stop.signal, 'abort')).to.have.length(1);
    expect(clock.sleeping).to.equal(2);
  });

  it('is given back as it was, but for the holder', async () => {
    store.lease = {
      metadata: { resourceVersion: '0' },
      spec: { leaseTransitions: 3, strategy: 'x' },
    };
    const leadership = await lead('a');

    await leadership.release();

    expect(mapAt(store.lease, 'spec')).to.deep.equal({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: '2026-11-21T05:13:58.007000Z',
      acquireTime: '2026-11-21T05:13:58.007000Z',
      leaseTransitions: 4,
      strategy: 'x',
    });
  });

  it('is not given back once the deadline for renewal is over: by then it may be no longer ours', async () => {
    const leadership = await lead('a');
    store.isDown = true;
    await clock.advance(10_000);
    store.isDown = false;

    await leadership.release();

    expect(store.holder).to.equal('a');
  });

  it('leaves a short lease half of what is beyond the deadline for writes under way', async () => {
    const leadership = await acquireLease(
      { store, clock, wallClockMs: () => WALL_MS, random: () => 0, logger: SILENT },
      { identity: 'a', leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 },
      end(),
    );

    expect(leadership?.remainingMs()).to.equal(2_500);
    expect(mapAt(store.lease, 'spec')['leaseDurationSeconds']).to.equal(3);
  });

  describe('of another holder', () => {
    /** After how long, in seconds, a lease is taken that is seen first as it is now. */
    async function takenAfter(): Promise<number> {
      const leaders: string[] = [];
      queueUp(leaders, 'b');
      for (let seconds = 0; seconds < 100; seconds += 1) {
        await settled();
        if (leaders.length > 0) return seconds;
        await clock.advance(1_000);
      }
      return Infinity;
    }

    for (const [what, spec, seconds] of [
      ['that says how long it is', { holderIdentity: 'dead', leaseDurationSeconds: 60 }, 60],
      ['that does not say how long it is', { holderIdentity: 'dead' }, 15],
      ['that was emptied by hand', { holderIdentity: '', leaseDurationSeconds: 20 }, 20],
      ['that was given back', { holderIdentity: '', leaseDurationSeconds: 1 }, 0],
    ] as const)
      it(`is taken after ${seconds} s when it is one ${what}`, async () => {
        store.lease = { metadata: { resourceVersion: '0' }, spec };

        expect(await takenAfter()).to.equal(seconds);
      });

    it('counts for as long as this holder says, not the one before', async () => {
      const leaders: string[] = [];
      const spec = { holderIdentity: 'slow', leaseDurationSeconds: 60 };
      store.lease = { metadata: { resourceVersion: '0' }, spec };
      queueUp(leaders, 'b');
      await clock.advance(1_000);
      store.edit({ holderIdentity: 'quick', leaseDurationSeconds: 15 });

      await clock.advance(15_100);

      expect(leaders).to.deep.equal(['b']);
    });
  });

  it('is taken back by the leader at once when somebody emptied it', async () => {
    const leadership = await lead('a');
    store.edit({ holderIdentity: '' });

    await clock.advance(4_000);

    expect([store.holder, leadership.isLeader()]).to.deep.equal(['a', true]);
  });

  describe('problem', () => {
    it('tells of nothing while the lease is renewed, nor when its loss was noticed and answered', async () => {
      const leadership = await lead('a');
      await clock.advance(60_000);
      const whileLeading = leadership.problem();
      store.isDown = true;

      await clock.advance(20_000);

      expect([whileLeading, leadership.problem()]).to.deep.equal([undefined, undefined]);
    });

    it('tells that the renewal is overdue for longer than the lease, and nobody has noticed', async () => {
      const stuck = new StuckClock();
      clock = stuck;
      const leadership = await lead('a');

      stuck.pass(20_000);
      const before = leadership.problem();
      stuck.pass(1);

      expect(before).to.equal(undefined);
      expect(leadership.problem()).to.equal('the lease was not renewed for 20 s, and this replica acts on');
    });

    it('tells that the work goes on long after the lease was lost', async () => {
      const leadership = await lead('a');
      store.edit({ holderIdentity: 'thief' });
      await clock.advance(2_000);

      await clock.advance(20_001);

      expect(leadership.problem()).to.equal('the lead ended 20 s ago, and its work has not');
    });
  });

  it('does not read the lease while it leads: one write renews it', async () => {
    await lead('a');
    const before = store.reads;

    await clock.advance(60_000);

    expect(store.reads).to.equal(before);
  });
});
