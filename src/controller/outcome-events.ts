/** Which Events an outcome gives. Pure. */
import { administratorDeletion } from '../apply/administered.ts';
import { assertNever } from '../model/json.ts';
import { identityOf } from '../model/object.ts';
import type { Outcome } from '../model/outcome.ts';
import { changesOf } from '../model/outcome.ts';
import type { Change } from '../model/report.ts';
import type { OperatorStatus, PendingPlan } from '../model/status.ts';
import {
  administratorRemedy,
  contestedText,
  counted,
  describeChange,
  describeNotReady,
  describeRelease,
  diagnosticTexts,
  disputeText,
  failureTexts,
  firstOf,
  planText,
  pruneFailureTexts,
  unrecordedText,
  usageText,
  waitingTexts,
} from './messages.ts';
import type { EventReason } from './reasons.ts';
import { isReady } from './resource.ts';
import { isRollingOut } from './verdict.ts';

export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly note: string;
}

/** What the resource was when the reconcile began. */
export interface Before {
  readonly generation: number;
  readonly previous: OperatorStatus | undefined;
}

export function eventsOf(outcome: Outcome, before: Before): readonly EventDraft[] {
  const drift = driftOf(changesOf(outcome), before).map((change) =>
    normal('DriftRepaired', describeChange(change)),
  );
  return [...drift, ...prunedEvents(outcome), ...resultEvents(outcome, before)];
}

/**
 * The changes that undo what others did: the specification is the one that was observed already, and the object was
 * ours before. Changes by a new version of the operator have no other manager's name on them, and are held against no plan
 * that was applied before.
 */
export function driftOf(changes: readonly Change[], { generation, previous }: Before): readonly Change[] {
  if (previous === undefined || isRollingOut({ generation, previous })) return [];
  // What was only tried so far, and refused, is in the inventory without a uid.
  const owned = new Set(previous.inventory.filter(({ uid }) => uid !== undefined).map(identityOf));
  return changes.filter(({ action, ref, changedBy, drifted }) => {
    // Also of definitions, which are in no inventory.
    if (drifted === true) return true;
    if (!owned.has(identityOf(ref))) return false;
    return action === 'created' || (action === 'configured' && changedBy.length > 0);
  });
}

function prunedEvents(outcome: Outcome): readonly EventDraft[] {
  const pruned = changesOf(outcome).filter((change) => change.action === 'pruned');
  if (pruned.length === 0) return [];
  return [
    normal('Pruned', `Deleted ${counted(pruned.length, 'object')}: ${firstOf(pruned.map(describeChange))}`),
  ];
}

function resultEvents(outcome: Outcome, before: Before): readonly EventDraft[] {
  switch (outcome.kind) {
    case 'ready':
      return readyEvents(outcome, before);
    case 'invalid':
      return [warning('InvalidSpec', firstOf(diagnosticTexts(outcome.diagnostics)))];
    case 'unsupported':
      return [warning('UnsupportedRelease', firstOf(diagnosticTexts(outcome.diagnostics)))];
    case 'upgradeRefused':
      return [warning('UpgradeRefused', firstOf(diagnosticTexts(outcome.diagnostics)))];
    case 'failed':
      return [warning('ApplyFailed', firstOf(failureTexts(outcome.report)))];
    case 'awaitingAdministrator':
      return [
        warning(
          'AwaitingAdministrator',
          `${firstOf(failureTexts(outcome.report))}; ${administratorRemedy(outcome.owner)}`,
        ),
      ];
    case 'notReady':
      return [warning('NotReady', firstOf(waitingTexts(outcome.report)))];
    case 'pruneFailed':
      return [warning('PruneFailed', firstOf(pruneFailureTexts(outcome.report)))];
    case 'deletionBlocked':
      return [warning('DeletionBlocked', firstOf(outcome.remaining.map(describeNotReady)))];
    case 'inUse':
      return [warning('RevisionInUse', usageText(outcome.usage))];
    case 'dryRun':
      return isNewPlan(outcome.plan, before) ? [normal('Planned', planText(outcome.plan))] : [];
    case 'awaitingApproval':
      return isNewPlan(outcome.plan, before)
        ? [normal('AwaitingApproval', `Plan ${outcome.plan.hash}: ${planText(outcome.plan)}`)]
        : [];
    case 'contested':
      return [warning('Contested', contestedText(outcome.contested))];
    case 'disputed':
      return outcome.disputes.map((dispute) =>
        warning('Disputed', `${disputeText(dispute)}; it is left as it is until that stops`),
      );
    case 'interrupted':
      // Somebody else changed the resource at the same moment: the next look settles it, there is nothing to tell.
      return outcome.problem.kind === 'conflict' ? [] : [warning('ReconcileFailed', outcome.problem.message)];
    case 'deleted':
      return [deletedEvent(outcome)];
    case 'progressing':
    case 'stopped':
    case 'paused':
    case 'ignored':
    case 'deleting':
    case 'absent':
      return [];
    default:
      return assertNever(outcome);
  }
}

function readyEvents(outcome: Extract<Outcome, { kind: 'ready' }>, before: Before): readonly EventDraft[] {
  const release = describeRelease(outcome.release);
  const { previous } = before;
  if (previous?.version === undefined) return [normal('Installed', `${release} is installed and ready`)];
  if (isRollingOut(before)) {
    const hasEffect =
      !isReady(previous) || outcome.report.changes.some((change) => change.action !== 'unchanged');
    return hasEffect ? [normal('Updated', `${release} is up to date and ready`)] : [];
  }
  return isReady(previous) ? [] : [normal('Recovered', `${release} is ready again`)];
}

function deletedEvent(outcome: Extract<Outcome, { kind: 'deleted' }>): EventDraft {
  const { unrecorded, administeredFor } = outcome;
  return unrecorded === undefined || administeredFor !== undefined
    ? normal('Deleted', deletedNote(outcome))
    : warning('Deleted', unrecordedText(unrecorded));
}

function deletedNote({ left, administeredFor }: Extract<Outcome, { kind: 'deleted' }>): string {
  if (administeredFor !== undefined)
    return `What the operator applied is ${left > 0 ? 'left' : 'deleted'}; what an administrator applied stays, its webhooks too. Delete it with: ${administratorDeletion(administeredFor)}`;
  if (left > 0) return `${counted(left, 'object')} stay as they are, and nobody looks after them any more`;
  return 'Everything that was installed is deleted; definitions, namespaces and what users made stay';
}

/** It is looked at again and again; only another plan is news. */
function isNewPlan(plan: PendingPlan, { previous }: Before): boolean {
  return previous?.plan?.hash !== plan.hash;
}

function normal(reason: EventReason, note: string): EventDraft {
  return { type: 'Normal', reason, note };
}

function warning(reason: EventReason, note: string): EventDraft {
  return { type: 'Warning', reason, note };
}
