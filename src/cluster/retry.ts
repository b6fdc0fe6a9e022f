/** When a failed call is tried again at once, below the retries of the controller. Pure but for the budget's count. */
import type { ClusterError } from '../model/cluster-error.ts';

const MAX_TRIES = 4;
const FIRST_WAIT_MS = 200;
const LAST_WAIT_MS = 2_000;

const BUDGET = 10;
const SUCCESS_EARNS = 0.2;

/**
 * Keeps retries a small share of all calls: each failure costs one, each success earns a little, and below half there
 * are no retries. So a server that is down or overloaded gets the calls themselves and not four times as many.
 */
export class RetryBudget {
  #left = BUDGET;

  succeeded(): void {
    this.#left = Math.min(BUDGET, this.#left + SUCCESS_EARNS);
  }

  failed(): void {
    this.#left = Math.max(0, this.#left - 1);
  }

  allowsRetry(): boolean {
    return this.#left >= BUDGET / 2;
  }
}

export interface FailedTry {
  readonly error: ClusterError;
  /** Counts from 1. */
  readonly tries: number;
  /** Until the deadline of the whole call. */
  readonly remainingMs: number;
  /** From 0 to 1. */
  readonly random: number;
}

/**
 * How long to wait before the next try, or undefined when there is to be none. Waits at least as long as the server
 * asked for; when that does not fit before the deadline, the caller gets the error with `retryAfterMs` instead.
 */
export function retryWaitMs({ error, tries, remainingMs, random }: FailedTry): number | undefined {
  if (error.kind !== 'unavailable' || tries >= MAX_TRIES) return undefined;
  const doubled = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1));
  const waitMs = (error.retryAfterMs ?? 0) + doubled * (0.5 + random / 2);
  return waitMs < remainingMs ? waitMs : undefined;
}
