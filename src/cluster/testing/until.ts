import { setImmediate as nextTurn } from 'node:timers/promises';

const LIMIT_MS = 5_000;

/** Waits for something that happens by itself in a moment, such as an exchange over a socket. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!holds()) {
    if (performance.now() > limit) throw new Error(`in vain: waited until ${what}`);
    await nextTurn();
  }
}

/** Waits until that many sleeps are going on. */
export async function untilSleeping(clock: { readonly sleeping: number }, count: number): Promise<void> {
  await until(`${count} sleeps are going on, and not ${clock.sleeping}`, () => clock.sleeping === count);
}
