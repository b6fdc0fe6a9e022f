/** Remembers since when each resource waits for the same thing. */

interface Wait {
  readonly subject: string;
  readonly sinceMs: number;
}

export class Patience {
  readonly #waits = new Map<string, Wait>();

  /**
   * For how long that subject is waited for, in milliseconds; 0 when it is a new one. When nothing is known about the
   * resource yet, as after a restart, `isOver` tells whether an earlier process had lost its patience already.
   */
  waitedMs(
    key: string,
    subject: string,
    { nowMs, isOver }: { readonly nowMs: number; readonly isOver: boolean },
  ): number {
    const known = this.#waits.get(key);
    if (known?.subject === subject) return nowMs - known.sinceMs;
    const sinceMs = known === undefined && isOver ? -Infinity : nowMs;
    this.#waits.set(key, { subject, sinceMs });
    return nowMs - sinceMs;
  }

  forget(key: string): void {
    this.#waits.delete(key);
  }
}
