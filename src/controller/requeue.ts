/** When a resource is looked at again, by what the last look came to. Pure. */
import { assertNever } from '../model/json.ts';
import type { Outcome, Problem, Release } from '../model/outcome.ts';
import type { FailureCause } from '../model/report.ts';
import { resultsOf } from './messages.ts';

export type Requeue =
  /** Only when something changes. */
  | { readonly kind: 'onChange' }
  | { readonly kind: 'after'; readonly ms: number }
  /** As `after`, but not at the same time as other resources. */
  | { readonly kind: 'around'; readonly ms: number }
  /** With delays that grow while this goes on, up to a limit of their own if one is given. */
  | { readonly kind: 'backOff'; readonly lastMs?: number };

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Everything should wake us up by itself; a look at what is ready costs no call to the API server. */
const RESYNC: Requeue = { kind: 'around', ms: 10 * MINUTE_MS };
/** Pods come and go without waking us up: there is no watch on them. */
const RECOUNT: Requeue = { kind: 'around', ms: MINUTE_MS };
/** What no retry cures may still be cured from outside, such as by an upgrade of the cluster. */
const SLOW_RETRY: Requeue = { kind: 'around', ms: MINUTE_MS };
/** Whoever reads that something is refused may allow it within seconds, and nothing tells us when that happens. */
const AWAIT_CONSENT: Requeue = { kind: 'backOff', lastMs: MINUTE_MS };

/** Whatever the answer, a change of the resource or of what it owns comes first. */
export function requeueOf(outcome: Outcome): Requeue {
  switch (outcome.kind) {
    case 'ready':
      return isDataPlaneAsked(outcome.release) ? RECOUNT : RESYNC;
    case 'dryRun':
    case 'awaitingApproval':
      return RESYNC;
    case 'progressing':
      return { kind: 'after', ms: Math.min(outcome.remainingMs, 10 * SECOND_MS) };
    case 'notReady':
      return { kind: 'around', ms: 30 * SECOND_MS };
    case 'failed':
      return afterFailure(outcome);
    case 'contested':
    case 'awaitingAdministrator':
      return SLOW_RETRY;
    case 'disputed':
      // A change of what is disputed postpones the retry and wakes us up as well.
      return { kind: 'after', ms: Math.min(...outcome.disputes.map(({ retryInMs }) => retryInMs)) };
    case 'interrupted':
      return afterProblem(outcome.problem);
    case 'pruneFailed':
    case 'deleting':
    case 'deletionBlocked':
      return AWAIT_CONSENT;
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

function isRefusal(cause: FailureCause = 'object'): boolean {
  return cause !== 'object' && cause !== 'server';
}

function afterFailure({ report }: Extract<Outcome, { kind: 'failed' }>): Requeue {
  const failures = resultsOf(report, 'failed').map(([, result]) => result);
  if (failures.some(({ forbidden, cause }) => forbidden === true || isRefusal(cause))) return AWAIT_CONSENT;
  return failures.some(({ retryable }) => retryable) ? { kind: 'backOff' } : SLOW_RETRY;
}

function afterProblem({ kind }: Problem): Requeue {
  if (kind === 'forbidden' || kind === 'refused') return AWAIT_CONSENT;
  return kind === 'invalid' || kind === 'internal' ? SLOW_RETRY : { kind: 'backOff' };
}
