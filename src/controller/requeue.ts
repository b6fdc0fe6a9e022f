/** When a resource is looked at again, by what the last look came to. Pure. */
import { assertNever } from '../model/json.ts';
import type { Outcome, Problem, Release } from '../model/outcome.ts';
import { resultsOf } from './messages.ts';

export type Requeue =
  /** Only when something changes. */
  | { readonly kind: 'onChange' }
  | { readonly kind: 'after'; readonly ms: number }
  /** As `after`, but not at the same time as other resources. */
  | { readonly kind: 'around'; readonly ms: number }
  /** With delays that grow while this goes on. */
  | { readonly kind: 'backOff' };

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Everything should wake us up by itself; a look at what is ready costs no call to the API server. */
const RESYNC: Requeue = { kind: 'around', ms: 10 * MINUTE_MS };
/** Pods come and go without waking us up: there is no watch on them. */
const RECOUNT: Requeue = { kind: 'around', ms: MINUTE_MS };
/** What no retry cures may still be cured from outside: a right granted, a quota raised. */
const SLOW_RETRY: Requeue = { kind: 'around', ms: MINUTE_MS };

/** Whatever the answer, a change of the resource or of what it owns comes first. */
export function requeueOf(outcome: Outcome): Requeue {
  switch (outcome.kind) {
    case 'ready':
      return isDataPlaneAsked(outcome.release) ? RECOUNT : RESYNC;
    case 'progressing':
      return { kind: 'after', ms: Math.min(outcome.remainingMs, 10 * SECOND_MS) };
    case 'notReady':
      return { kind: 'around', ms: 30 * SECOND_MS };
    case 'failed':
      return hasPermanentFailure(outcome) ? SLOW_RETRY : { kind: 'backOff' };
    case 'contested':
      return SLOW_RETRY;
    case 'interrupted':
      return isPermanent(outcome.problem) ? SLOW_RETRY : { kind: 'backOff' };
    case 'pruneFailed':
    case 'deleting':
    case 'deletionBlocked':
    case 'inUse':
      return { kind: 'backOff' };
    case 'ignored':
      return outcome.attention === 'awaited' ? { kind: 'after', ms: 3 * SECOND_MS } : { kind: 'onChange' };
    case 'invalid':
    case 'unsupported':
    case 'upgradeRefused':
    case 'paused':
    case 'stopped':
    case 'deleted':
    case 'absent':
      return { kind: 'onChange' };
    default:
      return assertNever(outcome);
  }
}

function isDataPlaneAsked({ dataPlane }: Release): boolean {
  return dataPlane !== undefined && dataPlane !== 'unasked';
}

function hasPermanentFailure(outcome: Extract<Outcome, { kind: 'failed' }>): boolean {
  return resultsOf(outcome.report, 'failed').every(([, result]) => !result.retryable);
}

function isPermanent(problem: Problem): boolean {
  return problem.kind === 'forbidden' || problem.kind === 'invalid' || problem.kind === 'internal';
}
