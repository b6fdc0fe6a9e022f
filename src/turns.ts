/** Lets long pieces of work follow each other in such a way that everybody else has a turn in between. */
import { setImmediate } from 'node:timers/promises';

/**
 * Gives each caller a turn of the event loop of its own, in the order in which they call. All who wait for `setImmediate`
 * are served in one turn, however much each of them does then.
 */
export function createTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    last = last.then(async () => setImmediate());
    return last;
  };
}
