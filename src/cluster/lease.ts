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
  /** Gives the lease back so that another replica takes over at once. Stop writing first. Never rejects. */
  release(): Promise<void>;
}

/** A write that is under way when the lease expires may still reach the server; at most this is left for it. */
const WRITE_MARGIN_MS = 2_000;
const JITTER = 0.2;

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
  const released = new ReleaseBell();
  const stopWatching = deps.store.onRelease(() => released.ring());
  try {
    while (!signal.aborted) {
      if (await candidate.tryToLead(signal)) return new HeldLease(deps, settings, candidate);
      await released.wait(deps.clock, settings.retryMs * (1 + JITTER * deps.random()), signal);
    }
    return undefined;
  } finally {
    stopWatching();
  }
}

/** Lets a wait end early when the lease becomes free. */
class ReleaseBell {
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
  /** The lease as last read or written, and when it was first seen in that state. */
  #seen: { readonly lease: JsonObject; readonly atMs: number } | undefined;
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
    const holder = this.#seen === undefined ? '' : holderOf(this.#seen.lease);
    return holder !== '' && holder !== this.#settings.identity;
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
      const lease = await this.#deps.store.read(signal);
      this.#seen = lease && { lease, atMs: this.#deps.clock.nowMs() };
      await this.#giveBack(signal);
    }
  }

  async #giveBack(signal: AbortSignal): Promise<void> {
    if (this.#seen === undefined || !this.#isOurs()) return;
    const spec = { ...mapAt(this.#seen.lease, 'spec'), holderIdentity: '', leaseDurationSeconds: 1 };
    await this.#write({ ...this.#seen.lease, spec: { ...spec, renewTime: this.#microTime() } }, signal);
  }

  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { store, clock } = this.#deps;
    // What we wrote last is most likely still what is there; if not, the resourceVersion tells, and it is read again.
    if (this.#isOurs() && (await this.#renew(signal))) return true;
    const lease = await store.read(signal);
    if (lease === undefined) return this.#create(signal);
    // Not by renewTime: the holder's clock may stand still or be set back, and it would still be alive.
    const isSame = this.#seen !== undefined && versionOf(this.#seen.lease) === versionOf(lease);
    this.#seen = { lease, atMs: isSame ? (this.#seen?.atMs ?? clock.nowMs()) : clock.nowMs() };
    if (this.isHeldByOther() && clock.nowMs() < this.#seen.atMs + durationMsOf(lease, this.#settings))
      return false;
    return this.#renew(signal);
  }

  #isOurs(): boolean {
    return this.#seen !== undefined && holderOf(this.#seen.lease) === this.#settings.identity;
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
    this.#seen = { lease, atMs: startedAtMs };
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

  async release(): Promise<void> {
    this.#ended.abort();
    await this.#renewing;
    if (this.#sinceRenewalMs() >= this.#settings.renewDeadlineMs) return;
    try {
      await this.#candidate.release(new AbortController().signal);
    } catch (error) {
      // The others take over when the lease expires.
      this.#deps.logger.debug('the lease could not be given back', { error });
    }
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
      this.#ended.abort();
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

function versionOf(lease: JsonObject): string {
  return stringAt(lease, 'metadata', 'resourceVersion') ?? '';
}

function holderOf(lease: JsonObject): string {
  return stringAt(lease, 'spec', 'holderIdentity') ?? '';
}

/** As the holder wrote it: it may run with other settings than we do. */
function durationMsOf(lease: JsonObject, settings: LeaseSettings): number {
  const seconds = numberAt(lease, 'spec', 'leaseDurationSeconds');
  return seconds === undefined ? settings.leaseMs : seconds * 1000;
}
