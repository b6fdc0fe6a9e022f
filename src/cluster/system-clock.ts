/** The real clock, behind the port that everything else takes as a parameter. */
import type { Clock } from '../model/clock.ts';

/**
 * Milliseconds since the epoch at process start plus what a monotonic clock counted since then: close to the time of
 * day, but it never jumps when somebody sets the machine's clock, so it may be used for expiry.
 */
export const systemClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  sleep,
};

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    // A deadline may have passed while its time was computed; Node.js warns of a negative one.
    const timer = setTimeout(finish, Math.max(0, ms));
    signal.addEventListener('abort', finish);
  });
}
