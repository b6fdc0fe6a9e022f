/**
 * What the watches of one process know together about their server being away. Alone, each would have to choose between
 * asking often, times the number of watches, and being late when the server is back.
 */
import type { Clock } from '../model/clock.ts';

export interface OutageDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

export interface Pause {
  readonly ms: number;
  /** `recoveries` when that failed because of which this pauses. */
  readonly recoveries: number;
  /** The server was not to be reached: such a watch may be sent to see whether it is back. */
  readonly isAway: boolean;
  /** Ends the pause. */
  readonly signal: AbortSignal;
}

// While no watch is open one of those that wait tries this often: a burden for no server, however many watches wait.
const KNOCK_MS = 500;
// A proxy whose server is away may accept a watch and cut it at once.
const PROOF_MS = 250;
// No backup is restored in less; a connection that is cut is mostly open again sooner.
const ABSENCE_MS = 1_000;
// All that waited come back at once; within a moment rather than in the same millisecond.
const SPREAD_MS = 200;

/** Counts open watches: as soon as one holds after there was none, all that pause go on. */
export class Outage {
  readonly #deps: OutageDeps;
  /** Those that pause, the longest first; true for those that may be sent. */
  readonly #pausing = new Map<AbortController, boolean>();
  #open = 0;
  #isOver = false;
  #recoveries = 0;
  #knocking: AbortController | undefined;
  #absences = 0;
  /** An absence was told since the last open watch ended. */
  #isNoted = false;
  readonly #absenceHandlers = new Set<() => void>();
  /** When the last open watch ended. */
  #lostAtMs = Infinity;

  constructor(deps: OutageDeps) {
    this.#deps = deps;
  }

  /** A watch is open, so the server is there for some at least. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Grows whenever the server is back. What failed before tells nothing about it any more. */
  get recoveries(): number {
    return this.#recoveries;
  }

  /**
   * Grows whenever the server was away from all watches. Nothing that it told before need be true any more, nor have ever
   * been, as far as the server knows: that is how a backup is restored. A watch that goes on where it was would miss all
   * that is different, and be silent until the resourceVersions have come that far again.
   */
  get absences(): number {
    return this.#absences;
  }

  /** Told of each absence, most of them more than once. Returns the way to stop. */
  onAbsence(handler: () => void): () => void {
    this.#absenceHandlers.add(handler);
    return () => this.#absenceHandlers.delete(handler);
  }

  /** A watch could not be opened because the server is not there. */
  missed(): void {
    if (this.#open === 0) this.#noteAbsence();
  }

  /**
   * The server is there for a watch, which may have to be given up all the same: the server was away for long, though
   * nobody was refused meanwhile. Told once until one is open, for lists may take longer than what counts as absence.
   */
  answered(): void {
    const awayMs = this.#open === 0 ? this.#deps.clock.nowMs() - this.#lostAtMs : 0;
    if (awayMs >= ABSENCE_MS && !this.#isNoted) this.#noteAbsence();
  }

  /** A watch was opened, and is to stay; to be told its end by the signal. */
  opened(ended: AbortSignal): void {
    if (ended.aborted) return;
    this.#isNoted = false;
    this.#open += 1;
    ended.addEventListener('abort', () => this.#closed(), { once: true });
    if (!this.#isOver) void this.#endIfItHolds(ended);
  }

  /**
   * Resolves after that time, when the server is back (also if it came back since the failure), when it is this one's
   * turn to try, or by the signal.
   */
  async pause(pause: Pause): Promise<void> {
    if (this.#recoveries === pause.recoveries) await this.#sleep(pause);
    const { clock, random } = this.#deps;
    if (this.#recoveries !== pause.recoveries) await clock.sleep(random() * SPREAD_MS, pause.signal);
  }

  async #sleep({ ms, isAway, signal }: Pause): Promise<void> {
    if (signal.aborted) return;
    const end = new AbortController();
    const stop = (): void => this.#wake(end);
    signal.addEventListener('abort', stop);
    this.#pausing.set(end, isAway);
    this.#knockIfNeeded();
    await this.#deps.clock.sleep(ms, end.signal);
    this.#wake(end);
    signal.removeEventListener('abort', stop);
  }

  async #endIfItHolds(ended: AbortSignal): Promise<void> {
    await this.#deps.clock.sleep(PROOF_MS, ended);
    if (ended.aborted || this.#isOver) return;
    this.#isOver = true;
    this.#recoveries += 1;
    for (const pausing of this.#pausing.keys()) this.#wake(pausing);
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#lostAtMs = this.#deps.clock.nowMs();
    this.#isOver = false;
    this.#knockIfNeeded();
  }

  #noteAbsence(): void {
    this.#isNoted = true;
    this.#absences += 1;
    for (const handler of this.#absenceHandlers) handler();
  }

  #wake(pausing: AbortController): void {
    this.#pausing.delete(pausing);
    pausing.abort();
    this.#knockIfNeeded();
  }

  #knockIfNeeded(): void {
    const isNeeded = !this.#isOver && [...this.#pausing.values()].includes(true);
    if (isNeeded === (this.#knocking !== undefined)) return;
    this.#knocking?.abort();
    this.#knocking = isNeeded ? new AbortController() : undefined;
    if (this.#knocking !== undefined) void this.#knock(this.#knocking.signal);
  }

  async #knock(stopped: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    while (!stopped.aborted) {
      await clock.sleep(KNOCK_MS * (1 - random() / 5), stopped);
      const [next] = [...this.#pausing].find(([, isAway]) => isAway) ?? [];
      if (!stopped.aborted && next !== undefined) this.#wake(next);
    }
  }
}
