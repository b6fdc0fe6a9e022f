/** Lets long pieces of work follow each other in such a way that everybody else has a turn in between. */
import { setImmediate } from 'node:timers/promises';

interface Waiting {
  readonly size: number;
  readonly begin: () => void;
}

/**
 * Gives each caller a turn of the event loop of its own: all who wait for `setImmediate` are served in one turn, however
 * much each of them does then. Of those who wait, the one with the smallest piece of work is next, and every second time
 * the one that has waited longest, so that nobody waits for ever.
 */
export function createTurns(): (size: number) => Promise<void> {
  const waiting: Waiting[] = [];
  let isOldestNext = false;
  let isServing = false;

  const next = (): Waiting | undefined => {
    const smallest = Math.min(...waiting.map(({ size }) => size));
    const index = isOldestNext ? 0 : waiting.findIndex(({ size }) => size === smallest);
    isOldestNext = index > 0;
    return waiting.splice(index, 1)[0];
  };
  const serve = async (): Promise<void> => {
    isServing = true;
    while (waiting.length > 0) {
      await setImmediate();
      next()?.begin();
    }
    isServing = false;
  };
  return async (size) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push({ size, begin: resolve });
    if (!isServing) void serve();
    return promise;
  };
}
