/** Judges an outcome: what each condition says about it. Pure; everything that users read begins here. */
import { approvalCommand } from '../apply/plan-hash.ts';
import { versionOf } from '../core/version.ts';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import { assertNever } from '../model/json.ts';
import type { Outcome, Problem, Release, Usage } from '../model/outcome.ts';
import type { ComponentName } from '../model/plan.ts';
import type { ApplyReport, FailureCause } from '../model/report.ts';
import type {
  ComponentStatus,
  InventoryEntry,
  LegacyStatus,
  OperatorStatus,
  PendingPlan,
  StandingConditionType,
} from '../model/status.ts';
import type { ComponentProgress } from './component-status.ts';
import { componentStatuses } from './component-status.ts';
import {
  administratorRemedy,
  capped,
  contestedText,
  counted,
  describeCommand,
  describeDuration,
  describeNotReady,
  describeRelease,
  diagnosticTexts,
  disputesText,
  failureTexts,
  firstOf,
  planText,
  pruneFailureTexts,
  resultsOf,
  usageText,
  waitingFor,
  waitingTexts,
} from './messages.ts';
import type { ConditionReason } from './reasons.ts';
import { conditionOf } from './resource.ts';

/** A run that is not over yet. */
export interface Working {
  readonly kind: 'working';
  readonly release: Release;
  readonly components: ReadonlyMap<ComponentName, ComponentProgress>;
  /** What is being done, as a sentence. */
  readonly activity: string;
  /** When what is ours in the cluster is about to change. */
  readonly inventory?: readonly InventoryEntry[];
}

/** What a status can be made of. The other outcomes leave nothing behind that could carry one. */
export type Phase = Working | Exclude<Outcome, { kind: 'stopped' | 'absent' | 'deleted' }>;

/** What one condition says. */
export interface Claim {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: ConditionReason;
  readonly message: string;
}

export interface Verdict {
  readonly status: LegacyStatus;
  readonly message: string;
  readonly claims: Readonly<Record<StandingConditionType, Claim>>;
  /** Absent: as they were. */
  readonly componentStatus?: Readonly<Record<string, ComponentStatus>>;
  readonly release?: Release;
  /** Whether the release is fully installed now. */
  readonly installed?: boolean;
  readonly inventory?: readonly InventoryEntry[];
  /** The plan that nothing is done about; `asBefore` where plans were not looked at; absent when there is none. */
  readonly plan?: PendingPlan | 'asBefore';
}

/** What a verdict depends on beside the phase. */
export interface VerdictContext {
  readonly generation: number;
  readonly previous: OperatorStatus | undefined;
}

/** Tells what a phase means. Of `previous` only what was ready before counts. */
export function verdictOf(phase: Phase, context: VerdictContext): Verdict {
  switch (phase.kind) {
    case 'working':
      return working(phase, context);
    case 'ready':
      return ready(phase.release, phase.report);
    case 'progressing':
      return progressing(phase.release, phase.report, context);
    case 'notReady':
      return notReady(phase, context);
    case 'failed':
      return failed(phase.release, phase.report, context);
    case 'awaitingAdministrator':
      return awaitingAdministrator(phase, context);
    case 'pruneFailed':
      return pruneFailed(phase.release, phase.report, context);
    case 'disputed':
      return disputed(phase, context);
    case 'contested':
      return contested(phase);
    case 'invalid':
      return invalid(diagnosticTexts(phase.diagnostics));
    case 'unsupported':
      return unsupported(phase.line, diagnosticTexts(phase.diagnostics), context);
    case 'upgradeRefused':
      return upgradeRefused(diagnosticTexts(phase.diagnostics));
    case 'dryRun':
      return dryRun(phase);
    case 'awaitingApproval':
      return awaitingApproval(phase);
    case 'interrupted':
      return interrupted(phase.problem);
    case 'paused':
      return inactive('Paused', PAUSED);
    case 'ignored':
      return inactive('IgnoredRevision', ignoredMessage(phase.revision, phase.operatorRevision));
    case 'deleting':
      return deleting(
        'RECONCILING',
        'Deleting',
        deletingMessage(phase.remaining.map(describeNotReady), phase.inventory),
        phase.inventory,
      );
    case 'inUse':
      return deleting('ACTION_REQUIRED', 'RevisionInUse', inUseMessage(phase.usage), phase.inventory);
    case 'deletionBlocked':
      return deleting('ERROR', 'DeletionBlocked', blockedMessage(phase), phase.inventory);
    default:
      return assertNever(phase);
  }
}

/**
 * Tells whether the present specification was never ready so far. Otherwise something that was ready is being
 * restored, which is told with another reason.
 */
export function isRollingOut({ generation, previous }: VerdictContext): boolean {
  return (
    previous === undefined ||
    previous.version === undefined ||
    previous.observedGeneration !== generation ||
    ROLLOUT_REASONS.has(conditionOf(previous, 'Ready')?.reason ?? '')
  );
}

/** Whatever is changed after these is what was planned, and no repair. */
const ROLLOUT_REASONS: ReadonlySet<string> = new Set(['Progressing', 'AwaitingApproval', 'DryRun']);

const SETTLED: Claim = { status: 'False', reason: 'Settled', message: 'No work is in progress.' };
const NOT_STALLED: Claim = { status: 'False', reason: 'NotStalled', message: 'Nothing waits for a human.' };
const VALID: Claim = { status: 'True', reason: 'Valid', message: 'The specification could be planned.' };
const PAUSED =
  'Reconciling is paused by the annotation install.istio.io/ignoreReconcile; remove it to go on.';

function progressReason(context: VerdictContext): ConditionReason {
  return isRollingOut(context) ? 'Progressing' : 'Recovering';
}

function notChecked(message: string): Claim {
  return { status: 'Unknown', reason: 'NotChecked', message };
}

function valid(release: Release): Claim {
  if (release.warnings.length === 0) return VALID;
  return {
    ...VALID,
    message: capped(`The specification could be planned; ${diagnosticTexts(release.warnings).join(' ')}`),
  };
}

function allApplied(release: Release): Claim {
  const message = `Every object of ${counted(release.components.length, 'component')} is as planned.`;
  return { status: 'True', reason: 'AllApplied', message };
}

/** Everything was accepted so far, but what depends on what is not ready was not tried. */
function appliedSoFar(release: Release, report: ApplyReport): Claim {
  const skipped = resultsOf(report, 'skipped').map(([component]) => component);
  if (skipped.length === 0) return allApplied(release);
  return { status: 'False', reason: 'Incomplete', message: `Not applied yet: ${skipped.join(', ')}.` };
}

function ready(release: Release, report: ApplyReport): Verdict {
  const count = counted(release.components.length, 'component');
  const message = `${describeRelease(release)} is installed; ${count} ${release.components.length === 1 ? 'is' : 'are'} ready.`;
  return {
    status: 'HEALTHY',
    message,
    claims: {
      Ready: { status: 'True', reason: 'Installed', message },
      Reconciling: SETTLED,
      Stalled: NOT_STALLED,
      Valid: valid(release),
      Applied: allApplied(release),
    },
    componentStatus: componentStatuses(release, report.components),
    release,
    installed: true,
    inventory: report.inventory,
  };
}

/** Work goes on by itself: not ready, reconciling, no human needed. */
function ongoing(
  status: LegacyStatus,
  reason: ConditionReason,
  message: string,
): Pick<Verdict, 'status' | 'message'> & {
  readonly claims: Pick<Verdict['claims'], 'Ready' | 'Reconciling' | 'Stalled'>;
} {
  return {
    status,
    message,
    claims: {
      Ready: { status: 'False', reason, message },
      Reconciling: { status: 'True', reason, message },
      Stalled: NOT_STALLED,
    },
  };
}

/** Only a human can help. */
function stalled(reason: ConditionReason, message: string): ReturnType<typeof ongoing> {
  return {
    status: 'ERROR',
    message,
    claims: {
      Ready: { status: 'False', reason, message },
      Reconciling: SETTLED,
      Stalled: { status: 'True', reason, message },
    },
  };
}

function working(phase: Working, context: VerdictContext): Verdict {
  const base = ongoing('RECONCILING', progressReason(context), phase.activity);
  const applied = { status: 'Unknown', reason: 'Incomplete', message: 'Objects are being applied.' } as const;
  return {
    ...base,
    claims: { ...base.claims, Valid: valid(phase.release), Applied: applied },
    componentStatus: componentStatuses(phase.release, phase.components, context),
    release: phase.release,
    ...(phase.inventory === undefined ? {} : { inventory: phase.inventory }),
  };
}

function progressing(release: Release, report: ApplyReport, context: VerdictContext): Verdict {
  const message = capped(`Waiting for ${firstOf(waitingTexts(report))}.`);
  const reason = arePodsRefused(report) ? 'PodsRefused' : progressReason(context);
  const base = ongoing('RECONCILING', reason, message);
  return {
    ...base,
    claims: { ...base.claims, Valid: valid(release), Applied: appliedSoFar(release, report) },
    componentStatus: componentStatuses(release, report.components, context),
    release,
    inventory: report.inventory,
  };
}

function notReady(phase: Extract<Phase, { kind: 'notReady' }>, context: VerdictContext): Verdict {
  const { release, report, timeoutMs } = phase;
  const first = waitingFor(report)[0]?.[1].ref;
  const remedy = first === undefined ? '' : ` See what keeps it with: ${describeCommand(first)}`;
  const message = capped(
    `Not ready after ${describeDuration(timeoutMs)}: ${firstOf(waitingTexts(report))}.${remedy}`,
  );
  const base = ongoing('ERROR', arePodsRefused(report) ? 'PodsRefused' : 'NotReady', message);
  return {
    ...base,
    claims: { ...base.claims, Valid: valid(release), Applied: appliedSoFar(release, report) },
    componentStatus: componentStatuses(release, report.components, { ...context, isOverdue: true }),
    release,
    inventory: report.inventory,
  };
}

/** More are waited for as a matter of course. */
function arePodsRefused(report: ApplyReport): boolean {
  return waitingFor(report).some(([, { refused }]) => refused === true);
}

/** Why an object was not accepted, for those who alert on it. */
const FAILURE_REASONS: Readonly<Record<FailureCause, ConditionReason>> = {
  object: 'ApplyFailed',
  rights: 'InsufficientPermissions',
  admission: 'AdmissionRefused',
  webhook: 'WebhookUnavailable',
  quota: 'QuotaExceeded',
  server: 'ClusterUnavailable',
};

/** Message and reason are about the same failure. */
function failed(release: Release, report: ApplyReport, context: VerdictContext): Verdict {
  const message = capped(sentence(firstOf(failureTexts(report))));
  const failures = resultsOf(report, 'failed').map(([, result]) => result);
  const reason = FAILURE_REASONS[failures[0]?.cause ?? 'object'];
  const isPermanent = failures.some(({ retryable }) => !retryable);
  const base = isPermanent ? stalled(reason, message) : ongoing('ERROR', reason, message);
  return {
    ...base,
    claims: {
      ...base.claims,
      Valid: valid(release),
      Applied: {
        status: 'False',
        reason,
        message: capped(failureTexts(report).map(sentence).join(' ')),
      },
    },
    componentStatus: componentStatuses(release, report.components, context),
    release,
    inventory: report.inventory,
  };
}

/** The operator may not act, and nothing of its own is wrong. */
function awaitingAdministrator(
  phase: Extract<Phase, { kind: 'awaitingAdministrator' }>,
  context: VerdictContext,
): Verdict {
  const { release, report, owner } = phase;
  const reason = 'AwaitingAdministrator';
  const message = `${firstOf(failureTexts(report))}; ${administratorRemedy(owner)}`;
  const base = stalled(reason, message);
  return {
    ...base,
    status: 'ACTION_REQUIRED',
    claims: {
      ...base.claims,
      Valid: valid(release),
      Applied: { status: 'False', reason, message: capped(failureTexts(report).map(sentence).join(' ')) },
    },
    componentStatus: componentStatuses(release, report.components, context),
    release,
    inventory: report.inventory,
  };
}

function pruneFailed(release: Release, report: ApplyReport, context: VerdictContext): Verdict {
  const message = capped(
    `Not wanted any more, but not deleted: ${sentence(firstOf(pruneFailureTexts(report)))}`,
  );
  const base = ongoing('ERROR', 'PruneFailed', message);
  return {
    ...base,
    claims: { ...base.claims, Valid: valid(release), Applied: allApplied(release) },
    componentStatus: componentStatuses(release, report.components, context),
    release,
    inventory: report.inventory,
  };
}

/** The operator tries again by itself, but as long as the others go on, only a human can settle who is right. */
function disputed(phase: Extract<Phase, { kind: 'disputed' }>, context: VerdictContext): Verdict {
  const { release, report, disputes } = phase;
  const remedy = 'Stop what does that, or change the resource to ask for what is wanted.';
  const message = capped(`${disputesText(disputes)}; it is left as it is until that stops. ${remedy}`);
  const base = stalled('Disputed', message);
  return {
    ...base,
    claims: {
      ...base.claims,
      Valid: valid(release),
      Applied: { status: 'False', reason: 'Disputed', message },
    },
    componentStatus: componentStatuses(release, report.components, context),
    release,
    inventory: report.inventory,
  };
}

function contested({
  release,
  contested: objects,
  inventory,
}: Extract<Phase, { kind: 'contested' }>): Verdict {
  const text = contestedText(objects);
  const remedy = 'Remove it from one of the two resources, or give this one a revision of its own.';
  const base = stalled('Contested', capped(`${text}. ${remedy}`));
  const applied = notChecked('What was applied before stays as it is.');
  const claims = { ...base.claims, Valid: valid(release), Applied: applied };
  return { ...base, claims, ...(inventory === undefined ? {} : { inventory }) };
}

function invalid(diagnostics: readonly string[]): Verdict {
  const base = stalled('InvalidSpec', capped(firstOf(diagnostics)));
  return {
    ...base,
    claims: {
      ...base.claims,
      Valid: { status: 'False', reason: 'InvalidSpec', message: capped(diagnostics.join('\n'), 8192) },
      Applied: notChecked('What was applied before stays as it is.'),
    },
  };
}

/** An installation of that line is as good as it was: an upgrade of the operator alone must not turn a mesh red. */
function unsupported(line: string, diagnostics: readonly string[], { previous }: VerdictContext): Verdict {
  const reason = 'UnsupportedRelease';
  const cause = firstOf(diagnostics);
  const Applied = notChecked('What was applied before stays as it is.');
  const installed = previous?.version;
  if (installed === undefined || versionOf(installed)?.line !== line) {
    const base = stalled(reason, capped(cause));
    const Valid = { status: 'False', reason, message: capped(cause) } as const;
    return { ...base, claims: { ...base.claims, Valid, Applied } };
  }
  const message = capped(`Istio ${installed} stays as it is, and nobody looks after it: ${cause}`);
  const Ready = { status: 'True', reason, message } as const;
  return {
    status: 'HEALTHY',
    message,
    claims: {
      Ready,
      Reconciling: SETTLED,
      Stalled: NOT_STALLED,
      Valid: { status: 'Unknown', reason, message: capped(cause) },
      Applied,
    },
  };
}

function upgradeRefused(diagnostics: readonly string[]): Verdict {
  const reason = 'UpgradeRefused';
  const message = capped(firstOf(diagnostics));
  const base = stalled(reason, message);
  const applied = notChecked('What was applied before stays as it is.');
  return {
    ...base,
    claims: { ...base.claims, Valid: { status: 'False', reason, message }, Applied: applied },
  };
}

const PROBLEM_REASONS: Readonly<Record<ClusterErrorKind | 'internal', ConditionReason>> = {
  unavailable: 'ClusterUnavailable',
  conflict: 'ClusterUnavailable',
  cancelled: 'ClusterUnavailable',
  absent: 'ClusterUnavailable',
  forbidden: 'InsufficientPermissions',
  refused: 'AdmissionRefused',
  invalid: 'InternalError',
  internal: 'InternalError',
};

/** Faults that no retry cures. They are retried all the same, slowly: a right may be granted meanwhile. */
const STALLING_REASONS: ReadonlySet<ConditionReason> = new Set(['InsufficientPermissions', 'InternalError']);

function interrupted(problem: Problem): Verdict {
  const reason = PROBLEM_REASONS[problem.kind];
  const message = capped(sentence(problem.message));
  const base = STALLING_REASONS.has(reason) ? stalled(reason, message) : ongoing('ERROR', reason, message);
  const unchecked = notChecked('The reconcile did not get to its end.');
  return { ...base, claims: { ...base.claims, Valid: unchecked, Applied: unchecked }, plan: 'asBefore' };
}

/** We make no statement about the installation: upstream's NONE, which Argo CD shows as Unknown. */
function inactive(reason: ConditionReason, message: string): Verdict {
  const unchecked = notChecked(message);
  return {
    status: 'NONE',
    message,
    claims: {
      Ready: { status: 'Unknown', reason, message },
      Reconciling: SETTLED,
      Stalled: NOT_STALLED,
      Valid: unchecked,
      Applied: unchecked,
    },
    plan: 'asBefore',
  };
}

function dryRun({ release, plan }: Extract<Phase, { kind: 'dryRun' }>): Verdict {
  const message = `Dry run: ${planText(plan)}; ${whereToRead(plan)}.`;
  const told = inactive('DryRun', message);
  return { ...told, claims: { ...told.claims, Valid: valid(release) }, release, plan };
}

/** Only a person can go on; nothing is wrong. Argo CD shows upstream's ACTION_REQUIRED as Progressing. */
function awaitingApproval(phase: Extract<Phase, { kind: 'awaitingApproval' }>): Verdict {
  const { release, plan, approved } = phase;
  const other = approved === undefined ? '' : ` (what is approved is another plan, ${approved})`;
  const message = capped(
    `Plan ${plan.hash} waits for approval${other}: ${planText(plan)}; ${whereToRead(plan)}. ${approvalRemedy(phase)}`,
  );
  const base = stalled('AwaitingApproval', message);
  const applied = notChecked('What was applied before stays as it is.');
  return {
    ...base,
    status: 'ACTION_REQUIRED',
    claims: { ...base.claims, Valid: valid(release), Applied: applied },
    release,
    plan,
  };
}

function whereToRead({ configMap, problem }: PendingPlan): string {
  if (configMap !== undefined) return `the differences are in ConfigMap ${configMap}`;
  return `the differences could not be stored: ${problem ?? 'unknown'}`;
}

function approvalRemedy({ plan, owner }: Extract<Phase, { kind: 'awaitingApproval' }>): string {
  return `Approve it with: ${approvalCommand(owner, plan.hash)}`;
}

function ignoredMessage(revision: string, operatorRevision: string): string {
  const theirs = revision === '' ? 'the default revision' : `revision ${revision}`;
  return `This operator serves revision ${operatorRevision}, the resource is of ${theirs}; run an operator for it, or change spec.revision.`;
}

function deletingMessage(remaining: readonly string[], inventory: readonly InventoryEntry[]): string {
  const count = counted(inventory.length, 'object');
  return capped(
    remaining.length === 0 ? `Deleting ${count}.` : `Deleting ${count}; waiting for ${firstOf(remaining)}.`,
  );
}

function blockedMessage(phase: Extract<Phase, { kind: 'deletionBlocked' }>): string {
  const remaining = firstOf(phase.remaining.map(describeNotReady));
  return capped(
    `Not deleted: ${remaining}. Remove what holds it, or annotate the resource with install.istio.io/deletion-policy: Orphan to leave everything.`,
  );
}

function inUseMessage(usage: Usage): string {
  return capped(
    `Not deleted: ${usageText(usage)}. Move them to another revision and restart them, or annotate the resource with install.istio.io/force-removal: "true".`,
  );
}

function deleting(
  status: LegacyStatus,
  reason: 'Deleting' | 'DeletionBlocked' | 'RevisionInUse',
  message: string,
  inventory: readonly InventoryEntry[],
): Verdict {
  const base = ongoing(status, reason, message);
  const unchecked = notChecked('The resource is being deleted.');
  return {
    ...base,
    claims: { ...base.claims, Valid: unchecked, Applied: unchecked },
    inventory,
    plan: 'asBefore',
  };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
