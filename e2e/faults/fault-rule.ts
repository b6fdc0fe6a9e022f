/** Which requests a fault strikes, and how often. */
import type { ApiRequest } from './api-request.ts';

/**
 * What happens to a request. "Done" means that the API server did it, whatever its client is told.
 *
 * - `crashBefore`: the client is killed, and the request is never sent on.
 * - `crashAfter`: done; then the client is killed, before it learns the answer.
 * - `dropAnswer`: done; the connection breaks instead of an answer.
 * - `reset`: the connection breaks, nothing is done.
 * - `hang`: nothing is done, and no byte is ever answered.
 * - `duplicate`: done twice, as by a proxy that tries again; the second answer arrives.
 * - `delay`: done after that time.
 * - `status`: refused with that HTTP status, as the API server or something in front of it would.
 * - `truncate`: done; half of the answer arrives, then the connection breaks.
 * - `garble`: done; the answer is no JSON.
 * - `answer`: not done; this body arrives as a success.
 */
export type Fault =
  | { readonly kind: 'crashBefore' | 'crashAfter'; readonly crash: () => void }
  | { readonly kind: 'dropAnswer' | 'reset' | 'hang' | 'duplicate' | 'truncate' | 'garble' }
  | { readonly kind: 'delay'; readonly ms: number }
  | {
      readonly kind: 'status';
      readonly code: number;
      readonly retryAfterS?: number;
      readonly reason?: string;
    }
  | { readonly kind: 'answer'; readonly body: Buffer };

export interface FaultRule {
  readonly when: (request: ApiRequest) => boolean;
  /** The first match that is struck, counted from 1, which is the default. */
  readonly nth?: number;
  /** How many matches in a row are struck from there on; 1 when absent. */
  readonly times?: number;
  readonly fault: Fault;
}

/** A rule at work, with its counts. */
export class ArmedRule {
  readonly #rule: FaultRule;
  #matches = 0;
  #strikes = 0;
  #isArmed = true;

  constructor(rule: FaultRule) {
    this.#rule = rule;
  }

  /** How many requests it would have struck without its limits. */
  get matches(): number {
    return this.#matches;
  }

  get strikes(): number {
    return this.#strikes;
  }

  disarm(): void {
    this.#isArmed = false;
  }

  /** The fault for this request, if it is this one's turn. */
  strike(request: ApiRequest): Fault | undefined {
    const { when, nth = 1, times = 1, fault } = this.#rule;
    if (!this.#isArmed || !when(request)) return undefined;
    this.#matches += 1;
    if (this.#matches < nth || this.#matches >= nth + times) return undefined;
    this.#strikes += 1;
    return fault;
  }
}
