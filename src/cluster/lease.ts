/**
 * Election of one leader among replicas by a coordination.k8s.io Lease, with client-go's algorithm: whoever holds the
 * lease renews it; who does not may take it once it has seen no renewal for as long as the lease says. Only time that
 * passed here counts, never the clock of another machine.
 */
import type { Clock } from '../model/clock.ts';
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { mapAt, numberAt, stringAt } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import { startDeadline } from './deadline.ts';
import type { LeaseStore } from './lease-store.ts';
import type { WriteFence } from './transport.ts';

export interface LeaseSettings {
  /** Unique for this process, also across restarts of one pod. */
  readonly identity: string;
  /** After how long without renewal others may take over. */
  readonly leaseMs: number;
  /** For how long after the last renewal the leader still acts; must be shorter than the lease. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** Those of client-go and controller-runtime. */
export const DEFAULT_LEASE_TIMES = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 } as const;

export interface LeaseDeps {
  readonly store: LeaseStore;
  /** Must be monotonic. */
  readonly clock: Clock;
  /** Time of day, only for people who read the lease. */
  readonly wallClockMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

export interface Leadership extends WriteFence {
  /** False as soon as the lease was not renewed in time, even if nobody has noticed yet. */
  isLeader(): boolean;
  /** Aborted when the leadership ended, by loss or by release. */
  readonly ended: AbortSignal;
  /**
   * What a restart of the process would cure, until the release is done: a renewal that is long overdue without a loss
   * having been noticed, or work that goes on long after the end. Losing the lease is no problem.
   */
  problem(): string | undefined;
  /**
   * Gives the lease back so that another replica takes over at once; first waits for the writes that are under way. Stop
   * writing first. Never rejects.
   */
  release(): Promise<void>;
}

/** A write that is under way when the lease expires may still reach the server; at most this is left for it. */
const WRITE_MARGIN_MS = 2_000;
const JITTER = 0.2;
/** Beyond the duration of the lease: time for what runs to end, after a loss as late as it can be noticed. */
const OVERDUE_MS = 5_000;
/** What client-go leaves in a lease that is given back. */
const RELEASED_SECONDS = 1;

/**
 * Waits until this process is the leader, or until the signal is aborted (undefined). May be called again after a
 * loss. Calls that fail are repeated; nothing is thrown.
 */
export async function acquireLease(
  deps: LeaseDeps,
  settings: LeaseSettings,
  signal: AbortSignal,
): Promise<Leadership | undefined> {
  const candidate = new Candidate(deps, settings);
  const changed = new ChangeBell();
  // Also of renewals: the lease runs out so long after the last one was seen, and a look now and then sees it late.
  const stopWatching = deps.store.onChange(() => changed.ring());
  try {
    while (!signal.aborted) {
      if (await candidate.tryToLead(signal)) return new HeldLease(deps, settings, candidate);
      const retryMs = settings.retryMs * (1 + JITTER * deps.random());
      await changed.wait(deps.clock, Math.min(retryMs, candidate.freeInMs() ?? Infinity), signal);
    }
    return undefined;
  } finally {
    stopWatching();
  }
}

/** Lets a wait end early when the lease changes. */
class ChangeBell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#rung.abort();
    signal.addEventListener('abort', stop);
    if (!signal.aborted) await clock.sleep(ms, this.#rung.signal);
    signal.removeEventListener('abort', stop);
    this.#rung = new AbortController();
  }
}

/** What this process knows about the lease, and its attempts to take or renew it. */
class Candidate {
  readonly #deps: LeaseDeps;
  readonly #settings: LeaseSettings;
  #seen: SeenLease | undefined;
  /** When the last successful write began: the server cannot have counted from an earlier moment. */
  #renewedAtMs = -Infinity;
  #isFailing = false;

  constructor(deps: LeaseDeps, settings: LeaseSettings) {
    this.#deps = deps;
    this.#settings = settings;
  }

  get renewedAtMs(): number {
    return this.#renewedAtMs;
  }

  /** Tells that the lease, as last seen, is held by another process. */
  isHeldByOther(): boolean {
    return isForeign(this.#seen?.lease, this.#settings.identity);
  }

  /** After how long the lease, as last seen, may be taken; undefined when it may be now, or was never seen. */
  freeInMs(): number | undefined {
    const inMs = (this.#seen?.freeAtMs ?? 0) - this.#deps.clock.nowMs();
    return inMs > 0 ? inMs : undefined;
  }

  /** One attempt to take the lease or to renew it. */
  async tryToLead(signal: AbortSignal): Promise<boolean> {
    try {
      const leads = await this.#attempt(signal);
      this.#isFailing = false;
      return leads;
    } catch (error) {
      if (!signal.aborted) this.#complain(error);
      return false;
    }
  }

  /** Once for each row of failures: without rights to the lease, this is all that people would see. */
  #complain(error: unknown): void {
    const { logger } = this.#deps;
    const message = 'the lease could not be read or written';
    if (this.#isFailing) logger.debug(message, { error });
    else logger.warn(message, { error });
    this.#isFailing = true;
  }

  /** Gives the lease back; throws ClusterError when that fails. Does nothing when another process holds it. */
  async release(signal: AbortSignal): Promise<void> {
    try {
      await this.#giveBack(signal);
    } catch (error) {
      if (!isClusterError(error, 'conflict')) throw error;
      // Most likely a renewal of ours that was cut off when we were told to end, and stored all the same.
      this.#look(await this.#deps.store.read(signal));
      await this.#giveBack(signal);
    }
  }

  async #giveBack(signal: AbortSignal): Promise<void> {
    if (!this.#isOurs()) return;
    const lease = this.#seen?.lease ?? {};
    const spec = { ...mapAt(lease, 'spec'), holderIdentity: '', leaseDurationSeconds: RELEASED_SECONDS };
    await this.#write({ ...lease, spec: { ...spec, renewTime: this.#microTime() } }, signal);
  }

  async #attempt(signal: AbortSignal): Promise<boolean> {
    // What we wrote last is most likely still what is there; if not, the resourceVersion tells, and it is read again.
    if (this.#isOurs() && (await this.#renew(signal))) return true;
    const lease = await this.#deps.store.read(signal);
    this.#look(lease);
    if (this.freeInMs() !== undefined) return false;
    return lease === undefined ? this.#create(signal) : this.#renew(signal);
  }

  #look(lease: JsonObject | undefined): void {
    const before = this.#seen;
    // Not by renewTime: the holder's clock may stand still or be set back, and it would still be alive.
    if (before !== undefined && versionOf(before.lease) === versionOf(lease)) return;
    const waitMs = waitMsFor(lease, before, this.#settings);
    this.#seen = { lease, waitMs, freeAtMs: this.#deps.clock.nowMs() + waitMs };
  }

  #isOurs(): boolean {
    return holderOf(this.#seen?.lease) === this.#settings.identity && this.freeInMs() === undefined;
  }

  /** Writes the lease as ours over what was seen last; false when somebody else was faster. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const lease = this.#seen?.lease ?? {};
    const spec = mapAt(lease, 'spec');
    const now = this.#microTime();
    const transitions = numberAt(spec, 'leaseTransitions') ?? 0;
    const taking = this.#isOurs() ? {} : { acquireTime: now, leaseTransitions: transitions + 1 };
    try {
      await this.#write({ ...lease, spec: { ...spec, ...this.#claim(now), ...taking } }, signal);
      return true;
    } catch (error) {
      // Changed or deleted since we saw it.
      if (isClusterError(error, 'conflict') || isClusterError(error, 'absent')) return false;
      throw error;
    }
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const startedAtMs = this.#deps.clock.nowMs();
    const now = this.#microTime();
    try {
      const lease = await this.#deps.store.create(
        { ...this.#claim(now), acquireTime: now, leaseTransitions: 0 },
        signal,
      );
      this.#renewed(lease, startedAtMs);
      return true;
    } catch (error) {
      if (isClusterError(error, 'conflict')) return false;
      throw error;
    }
  }

  #claim(now: string): JsonObject {
    const { identity, leaseMs } = this.#settings;
    return { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1000), renewTime: now };
  }

  async #write(lease: JsonObject, signal: AbortSignal): Promise<void> {
    const startedAtMs = this.#deps.clock.nowMs();
    this.#renewed(await this.#deps.store.replace(lease, signal), startedAtMs);
  }

  #renewed(lease: JsonObject, startedAtMs: number): void {
    this.#seen = { lease, waitMs: 0, freeAtMs: startedAtMs };
    this.#renewedAtMs = startedAtMs;
  }

  /** The API wants exactly six digits of fraction. */
  #microTime(): string {
    return new Date(this.#deps.wallClockMs()).toISOString().replace('Z', '000Z');
  }
}

class HeldLease implements Leadership {
  readonly #deps: LeaseDeps;
  readonly #settings: LeaseSettings;
  readonly #candidate: Candidate;
  readonly #ended = new AbortController();
  #endedAtMs: number | undefined;
  readonly #writes = new Set<Promise<void>>();
  readonly #renewing: Promise<void>;

  constructor(deps: LeaseDeps, settings: LeaseSettings, candidate: Candidate) {
    this.#deps = deps;
    this.#settings = settings;
    this.#candidate = candidate;
    this.#renewing = this.#keepRenewing();
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  isLeader(): boolean {
    return !this.#ended.signal.aborted && this.#sinceRenewalMs() < this.#settings.renewDeadlineMs;
  }

  remainingMs(): number {
    if (!this.isLeader()) return 0;
    const { leaseMs, renewDeadlineMs } = this.#settings;
    const marginMs = Math.min(WRITE_MARGIN_MS, (leaseMs - renewDeadlineMs) / 2);
    return leaseMs - marginMs - this.#sinceRenewalMs();
  }

  sent(landed: Promise<void>): void {
    this.#writes.add(landed);
    void landed.then(() => this.#writes.delete(landed));
  }

  problem(): string | undefined {
    const { leaseMs } = this.#settings;
    const sinceMs =
      this.#endedAtMs === undefined ? this.#sinceRenewalMs() : this.#deps.clock.nowMs() - this.#endedAtMs;
    if (sinceMs <= leaseMs + OVERDUE_MS) return undefined;
    const seconds = Math.floor(sinceMs / 1000);
    return this.#endedAtMs === undefined
      ? `the lease was not renewed for ${seconds} s, and this replica acts on`
      : `the lead ended ${seconds} s ago, and its work has not`;
  }

  async release(): Promise<void> {
    this.#end();
    await this.#renewing;
    // What the server still works on would be done in the time of the next leader.
    await Promise.all(this.#writes);
    if (this.#sinceRenewalMs() >= this.#settings.renewDeadlineMs) return;
    try {
      await this.#candidate.release(new AbortController().signal);
    } catch (error) {
      // The others take over when the lease expires.
      this.#deps.logger.debug('the lease could not be given back', { error });
    }
  }

  #end(): void {
    this.#endedAtMs ??= this.#deps.clock.nowMs();
    this.#ended.abort();
  }

  #sinceRenewalMs(): number {
    return this.#deps.clock.nowMs() - this.#candidate.renewedAtMs;
  }

  async #keepRenewing(): Promise<void> {
    const { signal } = this.#ended;
    const { clock, logger } = this.#deps;
    const { retryMs, renewDeadlineMs, identity } = this.#settings;
    while (!signal.aborted) {
      await clock.sleep(Math.min(retryMs, renewDeadlineMs - this.#sinceRenewalMs()), signal);
      if (signal.aborted) return;
      if (this.isLeader() && (await this.#renewOrStay())) continue;
      logger.warn('the lease was lost', { identity });
      this.#end();
    }
  }

  /** False when another process has the lease; a failed renewal may be repeated until the deadline. */
  async #renewOrStay(): Promise<boolean> {
    const remainingMs = this.#settings.renewDeadlineMs - this.#sinceRenewalMs();
    const deadline = startDeadline(this.#deps.clock, this.#ended.signal, remainingMs);
    const renewed = await this.#candidate.tryToLead(deadline.signal);
    deadline.end();
    return renewed || this.#ended.signal.aborted || !this.#candidate.isHeldByOther();
  }
}

interface SeenLease {
  /** As last read or written; undefined when there was none. */
  readonly lease: JsonObject | undefined;
  /** For how long it may not be taken, from when it was first seen in that state. */
  readonly waitMs: number;
  readonly freeAtMs: number;
}

/**
 * For how long a lease that is seen in a new state may not be taken. Only its holder can give it back: when somebody
 * deletes the lease, empties it or writes another name into it by hand, who had it acts on until its next renewal, and
 * then makes it its own again or ends.
 */
function waitMsFor(
  lease: JsonObject | undefined,
  before: SeenLease | undefined,
  { identity, leaseMs }: LeaseSettings,
): number {
  const last = { holder: holderOf(before?.lease), waitMs: before?.waitMs ?? 0 };
  const holder = holderOf(lease);
  const ms = durationMsOf(lease);
  // As the holder wrote it: it may run with other settings than we do. A holder that stays does not change them.
  if (isForeign(lease, identity)) return Math.max(ms ?? leaseMs, holder === last.holder ? last.waitMs : 0);
  if (last.holder === identity) return last.waitMs;
  return isReleased(lease) ? 0 : Math.max(holder === '' ? (ms ?? 0) : 0, last.waitMs);
}

function isReleased(lease: JsonObject | undefined): boolean {
  return lease !== undefined && holderOf(lease) === '' && durationMsOf(lease) === RELEASED_SECONDS * 1000;
}

function durationMsOf(lease: JsonObject | undefined): number | undefined {
  const seconds = numberAt(lease, 'spec', 'leaseDurationSeconds');
  return seconds === undefined ? undefined : seconds * 1000;
}

function isForeign(lease: JsonObject | undefined, identity: string): boolean {
  const holder = holderOf(lease);
  return holder !== '' && holder !== identity;
}

function versionOf(lease: JsonObject | undefined): string {
  return stringAt(lease, 'metadata', 'resourceVersion') ?? '';
}

function holderOf(lease: JsonObject | undefined): string {
  return stringAt(lease, 'spec', 'holderIdentity') ?? '';
}
