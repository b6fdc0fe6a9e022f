/** What every step of one run of the engine has at hand. */
import type { Clock } from '../model/clock.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { ClusterPort } from './cluster.port.ts';
import type { Polling } from './engine.port.ts';

export interface Run {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly polling: Polling;
}

/** A run, or a part of one, that may not last longer. */
export interface BoundedRun extends Run {
  readonly deadlineMs: number;
}

export const DEFAULT_POLLING: Polling = { fastMs: 100, fastForMs: 10_000, slowMs: 500 };

/** So many calls of one stage are under way at once. More makes an API server no faster. */
export const CALLS_AT_ONCE = 6;

/** Throws a ClusterError of kind `cancelled` once the caller's signal is aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new ClusterError('the run was cancelled', { kind: 'cancelled', verb: 'run' });
}

/**
 * Repeats an attempt until it gives a value, and gives undefined once the deadline has passed. The first attempt is
 * made at once, the last one not before the deadline.
 */
export async function pollUntil<T>(
  run: BoundedRun,
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const startedMs = run.clock.nowMs();
  for (;;) {
    throwIfCancelled(run.signal);
    const value = await attempt();
    const nowMs = run.clock.nowMs();
    if (value !== undefined || nowMs >= run.deadlineMs) return value;
    const pauseMs = nowMs - startedMs < run.polling.fastForMs ? run.polling.fastMs : run.polling.slowMs;
    await run.clock.sleep(Math.min(pauseMs, run.deadlineMs - nowMs), run.signal);
  }
}
