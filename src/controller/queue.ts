/**
 * The queue of resources to reconcile, with the semantics of client-go's: a key that is added several times before it
 * is taken runs once; a key that is added while it runs, runs again afterwards; one key never runs twice at once. Beyond
 * that, urgent keys overtake the others, but never twice in a row while an older one waits, so that nobody starves; not
 * all workers run what is not urgent, so that an urgent key finds one; and few of those that take long run at once.
 */
import type { Clock } from '../model/clock.ts';
import type { BackoffSettings } from './backoff.ts';
import { backoffMs } from './backoff.ts';
import type { PaceSettings } from './pace.ts';
import { Pace } from './pace.ts';

/** Told what goes on, for metrics. */
export interface QueueObserver {
  added(): void;
  retried(): void;
  /** A key was taken after it had waited that long. */
  taken(waitedMs: number): void;
  /** A run ended that took that long. */
  done(workedMs: number): void;
  depthChanged(depth: number): void;
  /** Told once how to ask for the time that each run which is going on has taken so far. */
  runs(agesMs: () => readonly number[]): void;
}

export interface QueueDeps {
  readonly clock: Clock;
  /** A number from 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly observer?: QueueObserver;
  readonly backoff: BackoffSettings;
  /** Bounds how often one key runs, so that a resource that is edited all the time does not starve the others. */
  readonly pace: PaceSettings;
  /** How many runs that are not urgent go on at once; no limit when absent. */
  readonly mostCalm?: number;
  /** None takes long when absent. */
  readonly heavy?: HeavySettings;
}

export interface HeavySettings {
  /** Whether a run of the key may take long. */
  is(key: string): boolean;
  /** How many of them run at once. */
  readonly most: number;
}

export class WorkQueue {
  readonly #deps: QueueDeps;
  readonly #pace: Pace;
  /** Keys that may run now and since when they wait, in the order in which they came. */
  readonly #waiting = new Map<string, number>();
  /** Since when each key runs. */
  readonly #processing = new Map<string, number>();
  /** Those of them that were taken as heavy ones. */
  readonly #heavy = new Set<string>();
  /** Those that were taken as not urgent. */
  readonly #calm = new Set<string>();
  /** Keys that were added while they ran. */
  readonly #dirty = new Set<string>();
  readonly #failures = new Map<string, number>();
  /** Keys that were added as urgent and not taken since: they may wait, be delayed, or run for an earlier reason. */
  readonly #urgent = new Set<string>();
  /** Whether the last one that was taken overtook others. */
  #hasOvertaken = false;
  /** When delayed keys become due. */
  readonly #due = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #alarm: { readonly atMs: number; readonly stop: AbortController } | undefined;
  #closed = false;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
    this.#pace = new Pace(deps.pace);
    deps.observer?.runs(() => {
      const nowMs = deps.clock.nowMs();
      return [...this.#processing.values()].map((sinceMs) => nowMs - sinceMs);
    });
  }

  /** Number of keys that may run now and wait for a worker. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Lets a key run as soon as a worker is free; an urgent one before those that are not. */
  add(key: string, { isUrgent = false }: { readonly isUrgent?: boolean } = {}): void {
    if (this.#closed) return;
    if (isUrgent) this.#urgent.add(key);
    if (this.#waiting.has(key)) {
      // Where it had to wait for as long as it was not urgent.
      if (isUrgent) this.#handOut();
      return;
    }
    if (this.#processing.has(key)) {
      this.#dirty.add(key);
      return;
    }
    const now = this.#deps.clock.nowMs();
    const waitMs = this.#pace.take(key, now, this.#urgent.has(key));
    if (waitMs > 0) {
      this.addAfter(key, waitMs);
      return;
    }
    this.#deps.observer?.added();
    this.#waiting.set(key, now);
    this.#handOut();
  }

  /** Lets a key run after a delay. Of several delays the shortest counts, and a run meanwhile cancels it. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    const dueMs = this.#deps.clock.nowMs() + delayMs;
    this.#due.set(key, Math.min(dueMs, this.#due.get(key) ?? Infinity));
    this.#setAlarm();
  }

  /** Lets a key run again after a delay that grows with every call until `forget`, up to `lastMs`. */
  addBackedOff(key: string, lastMs = this.#deps.backoff.lastMs): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#deps.observer?.retried();
    const backoff = { ...this.#deps.backoff, lastMs: Math.min(lastMs, this.#deps.backoff.lastMs) };
    this.addAfter(key, backoffMs(failures, backoff, this.#deps.random()));
  }

  /** Starts the back-off of a key anew. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; undefined when the queue is closed. `done` must follow. */
  async take(): Promise<string | undefined> {
    if (this.#closed) return undefined;
    const taken = new Promise<string | undefined>((resolve) => this.#takers.push(resolve));
    this.#handOut();
    return taken;
  }

  /** Ends a run, so that the key may run again. */
  done(key: string): void {
    const now = this.#deps.clock.nowMs();
    const sinceMs = this.#processing.get(key);
    if (sinceMs !== undefined) this.#deps.observer?.done(now - sinceMs);
    this.#processing.delete(key);
    this.#heavy.delete(key);
    this.#calm.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
    // What another worker waits for may run now.
    if (this.#waiting.size > 0) this.#handOut();
    else this.#pace.sweep(now);
  }

  /** Ends all waiting `take` calls; what is queued is dropped. */
  close(): void {
    this.#closed = true;
    this.#alarm?.stop.abort();
    this.#due.clear();
    this.#waiting.clear();
    this.#urgent.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** The oldest key that may run, or the oldest urgent one where it is its turn. */
  #next(): string | undefined {
    const { mostCalm = Infinity, heavy } = this.#deps;
    const isCalmFull = this.#calm.size >= mostCalm;
    const isHeavyFull = this.#heavy.size >= (heavy?.most ?? Infinity);
    const mayRun = (key: string): boolean =>
      !(isCalmFull && !this.#urgent.has(key)) && !(isHeavyFull && this.#isHeavy(key));
    const oldest = this.#oldest(mayRun);
    const urgent = this.#hasOvertaken ? undefined : this.#oldestUrgent(mayRun);
    if (oldest === undefined) return undefined;
    this.#hasOvertaken = urgent !== undefined && urgent !== oldest;
    return urgent ?? oldest;
  }

  #oldestUrgent(mayRun: (key: string) => boolean): string | undefined {
    return this.#urgent.size === 0 ? undefined : this.#oldest((key) => this.#urgent.has(key) && mayRun(key));
  }

  #oldest(mayRun: (key: string) => boolean): string | undefined {
    for (const key of this.#waiting.keys()) if (mayRun(key)) return key;
    return undefined;
  }

  #isHeavy(key: string): boolean {
    return this.#deps.heavy?.is(key) === true;
  }

  #handOut(): void {
    while (this.#takers.length > 0 && this.#waiting.size > 0) {
      const key = this.#next();
      const sinceMs = key === undefined ? undefined : this.#waiting.get(key);
      if (key === undefined || sinceMs === undefined) break;
      this.#waiting.delete(key);
      if (!this.#urgent.delete(key)) this.#calm.add(key);
      this.#due.delete(key);
      const now = this.#deps.clock.nowMs();
      this.#processing.set(key, now);
      if (this.#isHeavy(key)) this.#heavy.add(key);
      this.#deps.observer?.taken(now - sinceMs);
      this.#takers.shift()?.(key);
    }
    this.#deps.observer?.depthChanged(this.#waiting.size);
  }

  /** Keeps exactly one sleep going: until the earliest delayed key is due. */
  #setAlarm(): void {
    const earliestMs = Math.min(...this.#due.values());
    if (this.#alarm !== undefined && this.#alarm.atMs <= earliestMs) return;
    this.#alarm?.stop.abort();
    this.#alarm = undefined;
    if (!Number.isFinite(earliestMs)) return;
    const stop = new AbortController();
    this.#alarm = { atMs: earliestMs, stop };
    void this.#ringAfter(Math.max(0, earliestMs - this.#deps.clock.nowMs()), stop.signal);
  }

  async #ringAfter(ms: number, signal: AbortSignal): Promise<void> {
    await this.#deps.clock.sleep(ms, signal);
    if (signal.aborted) return;
    this.#alarm = undefined;
    const now = this.#deps.clock.nowMs();
    const due = [...this.#due].filter(([, dueMs]) => dueMs <= now).map(([key]) => key);
    for (const key of due) this.#due.delete(key);
    for (const key of due) this.add(key);
    this.#setAlarm();
  }
}

/**
 * Runs a handler for each key, that many at once, until the queue is closed. A handler must not throw. Resolves when
 * the last running handler has ended.
 */
export async function runWorkers(
  queue: WorkQueue,
  count: number,
  handle: (key: string) => Promise<void>,
): Promise<void> {
  await Promise.all(Array.from({ length: count }, async () => work(queue, handle)));
}

async function work(queue: WorkQueue, handle: (key: string) => Promise<void>): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      await handle(key);
    } finally {
      queue.done(key);
    }
  }
}
