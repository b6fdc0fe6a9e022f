/** Time that passes only when the trial says so, for several processes of which one may die. */
import type { Clock } from '../../../model/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly process: object;
  readonly wake: () => void;
}

/** Any day will do; the API prints it. */
const START_MS = Date.UTC(2026, 0, 1);

export class VirtualTime {
  #nowMs = START_MS;
  #sleepers: Sleeper[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next sleeper is due; Infinity when nobody sleeps. */
  get nextDueMs(): number {
    return this.#sleepers.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Infinity);
  }

  /** What a process sees of the time. */
  clockOf(process: object): Clock {
    return {
      nowMs: () => this.#nowMs,
      sleep: async (ms, signal) => {
        if (signal.aborted || ms <= 0) return;
        await new Promise<void>((resolve) => {
          const sleeper = this.#add(process, ms, resolve);
          const onAbort = (): void => {
            this.#remove(sleeper);
            resolve();
          };
          signal.addEventListener('abort', onAbort, { once: true });
        });
      },
    };
  }

  /** Runs something in the cluster after a while. */
  after(ms: number, run: () => void): void {
    this.#add(this, ms, run);
  }

  /** What will happen in the cluster, each as the time until then. */
  pending(): readonly string[] {
    const own = this.#sleepers.filter(({ process }) => process === this);
    return own.map(({ dueMs }) => String(dueMs - this.#nowMs));
  }

  /** Jumps to the next time at which somebody is due, and wakes all who are. */
  advance(): void {
    const dueMs = this.nextDueMs;
    if (dueMs === Infinity) return;
    this.#nowMs = Math.max(this.#nowMs, dueMs);
    const due = this.#sleepers.filter((sleeper) => sleeper.dueMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.dueMs > this.#nowMs);
    for (const { wake } of due) wake();
  }

  /** Nobody wakes up in a process that is dead. */
  end(process: object): void {
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.process !== process);
  }

  #add(process: object, ms: number, wake: () => void): Sleeper {
    const sleeper = { dueMs: this.#nowMs + ms, process, wake };
    this.#sleepers.push(sleeper);
    return sleeper;
  }

  #remove(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
  }
}

/** Lets everything run that waits for nothing but promises. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
