/** Token buckets: bursts pass at once, a steady stream is slowed down. Pure but for the counts it keeps. */

export interface PaceSettings {
  /** How many may pass at once after a quiet time. */
  readonly burst: number;
  /** One more may pass each time this has gone by. */
  readonly refillMs: number;
  /** How many more may pass of those that are urgent; none when absent. All of them together pass no more often. */
  readonly reserve?: number;
}

interface Bucket {
  /** Below zero as far as the reserve was used. */
  tokens: number;
  atMs: number;
}

/** One bucket a key. Full buckets are forgotten, so memory is bounded by the keys that were busy lately. */
export class Pace {
  readonly #settings: PaceSettings;
  readonly #buckets = new Map<string, Bucket>();

  constructor(settings: PaceSettings) {
    this.#settings = settings;
  }

  /** Takes a token and returns 0, or takes none and returns how long to wait for one, in milliseconds. */
  take(key: string, nowMs: number, isUrgent = false): number {
    const { reserve = 0, refillMs } = this.#settings;
    const tokens = this.#tokens(key, nowMs);
    const least = isUrgent ? 1 - reserve : 1;
    if (tokens >= least) {
      this.#buckets.set(key, { tokens: tokens - 1, atMs: nowMs });
      return 0;
    }
    return Math.max(1, Math.ceil((least - tokens) * refillMs));
  }

  /** Drops the buckets that have filled up again: they are no different from unknown ones. */
  sweep(nowMs: number): void {
    for (const key of this.#buckets.keys()) {
      if (this.#tokens(key, nowMs) >= this.#settings.burst) this.#buckets.delete(key);
    }
  }

  get size(): number {
    return this.#buckets.size;
  }

  #tokens(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.#settings.burst;
    const refilled = (nowMs - bucket.atMs) / this.#settings.refillMs;
    return Math.min(this.#settings.burst, bucket.tokens + Math.max(0, refilled));
  }
}
