/** A caller's signal and a time limit as one signal, which still tells the two apart afterwards. */
import type { Clock } from '../model/clock.ts';

export interface Deadline {
  /** Aborted when the caller gives up or the time is over. */
  readonly signal: AbortSignal;
  /** Tells that the time was over before the caller gave up. */
  isExpired(): boolean;
  remainingMs(): number;
  /** The whole time. */
  readonly timeoutMs: number;
  /** Frees timer and listener; must be called once the work is done. */
  end(): void;
}

/** Not AbortSignal.any with AbortSignal.timeout: that needs real timers and cannot be freed early. */
export function startDeadline(clock: Clock, caller: AbortSignal, timeoutMs: number): Deadline {
  const endsAtMs = clock.nowMs() + timeoutMs;
  const limit = new AbortController();
  const timer = new AbortController();
  let expired = false;
  const cancel = (): void => limit.abort();
  if (caller.aborted) cancel();
  caller.addEventListener('abort', cancel);
  void clock.sleep(timeoutMs, timer.signal).then(() => {
    if (timer.signal.aborted || limit.signal.aborted) return;
    expired = true;
    limit.abort();
  });
  return {
    signal: limit.signal,
    timeoutMs,
    isExpired: () => expired,
    remainingMs: () => Math.max(0, endsAtMs - clock.nowMs()),
    end: () => {
      timer.abort();
      caller.removeEventListener('abort', cancel);
    },
  };
}
