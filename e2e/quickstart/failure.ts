import { stringAt } from '../../src/model/json.ts';
import type { FollowOutcome } from './sample.ts';

/** Why the sample is not HEALTHY, and what the operator said last. */
export function describeFailure(
  outcome: Extract<FollowOutcome, { kind: 'late' | 'failed' }>,
  log: string,
): string {
  const status = stringAt(outcome.resource, 'status', 'status') ?? 'unknown';
  const message = stringAt(outcome.resource, 'status', 'message') ?? 'the operator has not written a status';
  const when = outcome.kind === 'late' ? ` after ${outcome.timeoutMs / 1000} s` : '';
  return `The sample is ${status}${when}: ${message}\nThe operator's last words:\n${log}`;
}
