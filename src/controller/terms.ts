/** Leads for as long as it may, and again when it may again. Losing the lead is an ordinary event, no failure. */
import type { Controller } from './controller.ts';

/** A time in which this process, and no other, may act. */
export interface Term {
  /** Aborted when the term is over. */
  readonly ended: AbortSignal;
  /** What only a restart of the process would cure; the end of a term is no problem. */
  problem(): string | undefined;
  /** Lets others lead at once. Nothing may be written afterwards. */
  release(): Promise<void>;
}

export interface TermDeps<T extends Term> {
  /** Waits for the lead; undefined when the signal is aborted first. */
  acquire(signal: AbortSignal): Promise<T | undefined>;
  /**
   * A new controller for each term: what the last one knew may be outdated. It watches before its term, and may write
   * only in its own.
   */
  nextController(term: () => T | undefined): Controller;
  /** Told when this process begins and ends to lead. */
  leading(isLeader: boolean): void;
}

export class Terms<T extends Term> {
  readonly #deps: TermDeps<T>;
  #controller: Controller | undefined;
  #term: T | undefined;

  constructor(deps: TermDeps<T>) {
    this.#deps = deps;
  }

  /** Why this process should be started anew. Losing the lead is no reason, nor is waiting for it. */
  wedged(): string | undefined {
    return this.#term?.problem();
  }

  /** What keeps this process from doing its part, or from taking over at once while it waits for the lead. */
  problem(): string | undefined {
    return this.#controller === undefined || this.#controller.ready()
      ? undefined
      : 'the watches are not synced yet';
  }

  /** Resolves when the signal is aborted and the lead is given back. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const own: { term?: T } = {};
      const controller = this.#deps.nextController(() => own.term);
      controller.warmUp();
      this.#controller = controller;
      const term = await this.#deps.acquire(signal);
      if (term !== undefined) own.term = term;
      if (term === undefined) await controller.run(AbortSignal.abort());
      else await this.#serve(term, controller, signal);
    }
  }

  async #serve(term: T, controller: Controller, signal: AbortSignal): Promise<void> {
    this.#deps.leading(true);
    this.#term = term;
    try {
      await controller.run(AbortSignal.any([signal, term.ended]));
    } finally {
      this.#controller = undefined;
      this.#deps.leading(false);
      await term.release();
      this.#term = undefined;
    }
  }
}
