/** Brings one component of a plan into the cluster, stage by stage. */
import type { K8sObject } from '../model/object.ts';
import { namespaceOf } from '../model/object.ts';
import type { PlannedComponent } from '../model/plan.ts';
import type { Change, ComponentResult, NotReady } from '../model/report.ts';
import type { Applied, ApplyRun } from './apply-object.ts';
import { applyObject } from './apply-object.ts';
import { waitForEndpoints, webhookServices } from './endpoints.ts';
import { explainWaiting } from './explain-waiting.ts';
import type { Failure } from './failure.ts';
import { mapParallel, settleAll } from './parallel.ts';
import { CALLS_AT_ONCE, throwIfCancelled } from './run.ts';
import { isOfGateways, stagesOf } from './stages.ts';
import { waitUntilReady } from './wait.ts';

export interface ComponentOutcome {
  readonly result: ComponentResult;
  readonly changes: readonly Change[];
  /** As stored, of everything that was accepted. */
  readonly stored: readonly K8sObject[];
  /** Tried, but not accepted as far as we know: the answer may have got lost. */
  readonly uncertain: readonly K8sObject[];
}

export interface ComponentRun extends ApplyRun {
  readonly changed: (change: Change) => void;
  /** As in ApplySettings. */
  readonly isAtRest: boolean;
}

/** Applies a component; parts of it that need nothing of each other, side by side. */
export async function applyComponent(
  run: ComponentRun,
  planned: PlannedComponent,
): Promise<ComponentOutcome> {
  const parts = independentParts(planned).map((part) => applyPart(run, part));
  return together(await settleAll(parts));
}

/** What a namespace refuses must not keep the gateways of others from being installed. */
function independentParts(planned: PlannedComponent): readonly PlannedComponent[] {
  if (!isOfGateways(planned.component)) return [planned];
  const byNamespace = Map.groupBy(planned.objects, (object) => namespaceOf(object) ?? '');
  return [...byNamespace.values()].map((objects) => ({ ...planned, objects }));
}

/** What became of some objects of a component. */
interface PartOutcome extends Omit<ComponentOutcome, 'result'> {
  readonly failures: readonly Failure[];
  readonly waitingFor: readonly NotReady[];
}

function together(parts: readonly PartOutcome[]): ComponentOutcome {
  return {
    result: resultOf(parts),
    changes: parts.flatMap(({ changes }) => changes),
    stored: parts.flatMap(({ stored }) => stored),
    uncertain: parts.flatMap(({ uncertain }) => uncertain),
  };
}

function resultOf(parts: readonly PartOutcome[]): ComponentResult {
  const [failure, ...failures] = parts.flatMap((part) => part.failures);
  if (failure !== undefined) return failed([failure, ...failures]);
  const waitingFor = parts.flatMap((part) => part.waitingFor);
  return waitingFor.length > 0 ? { kind: 'notReady', waitingFor } : { kind: 'ready' };
}

/**
 * Applies the stages in order. A stage begins when everything before it is ready; all objects of a stage are tried, also
 * when one of them is not accepted, so that one run tells and mends as much as it can.
 */
async function applyPart(run: ComponentRun, planned: PlannedComponent): Promise<PartOutcome> {
  const done: Applied[] = [];
  const tried: K8sObject[] = [];

  for (const stage of stagesOf(planned.objects)) {
    const unanswered = await unansweredWebhooks(run, planned, { stage, done });
    if (unanswered.length > 0) return summary(tried, done, unanswered);
    tried.push(...stage);
    const applied = await mapParallel(stage, CALLS_AT_ONCE, (object) => applyAndTell(run, object));
    done.push(...applied);
    if (failuresOf(applied).length > 0) break;
    const waitingFor = [...withheldOf(applied), ...(await notReadyOf(run, storedOf(applied)))];
    if (waitingFor.length > 0) return summary(tried, done, waitingFor);
  }
  return summary(tried, done);
}

/** Looks only when something is going on: at rest the pods behind a webhook are known to work. */
async function unansweredWebhooks(
  run: ComponentRun,
  { objects }: PlannedComponent,
  { stage, done }: { readonly stage: readonly K8sObject[]; readonly done: readonly Applied[] },
): Promise<readonly NotReady[]> {
  const hasChanged = done.some((item) => item.kind === 'applied' && item.change.action !== 'unchanged');
  if (run.isAtRest && !hasChanged) return [];
  const services = objects.filter(({ kind }) => kind === 'Service');
  return waitForEndpoints(run, webhookServices([...services, ...stage]));
}

async function applyAndTell(run: ComponentRun, object: K8sObject): Promise<Applied> {
  throwIfCancelled(run.signal);
  const applied = await applyObject(run, object);
  if (applied.kind === 'applied' && applied.change.action !== 'unchanged') run.changed(applied.change);
  return applied;
}

async function notReadyOf(run: ComponentRun, stored: readonly K8sObject[]): Promise<readonly NotReady[]> {
  return explainWaiting(run, await waitUntilReady(run, stored));
}

/** The first failure speaks for all; they are tried again when any of them may succeed later. */
function failed([first, ...others]: readonly [Failure, ...Failure[]]): ComponentResult {
  const rest = others.length === 0 ? '' : ` (and ${others.length} more of its component)`;
  const retryable = first.retryable || others.some((other) => other.retryable);
  const forbidden = [first, ...others].some((failure) => failure.forbidden === true);
  const administered = [first, ...others].some((failure) => failure.administered === true);
  return {
    kind: 'failed',
    ref: first.ref,
    message: `${first.message}${rest}`,
    retryable,
    cause: first.cause,
    ...(forbidden ? { forbidden } : {}),
    ...(administered ? { administered } : {}),
  };
}

function summary(
  tried: readonly K8sObject[],
  done: readonly Applied[],
  waitingFor: readonly NotReady[] = [],
): PartOutcome {
  return {
    failures: failuresOf(done),
    waitingFor,
    changes: done.flatMap((item) => (item.kind === 'applied' ? [item.change] : [])),
    stored: storedOf(done),
    uncertain: tried.filter((_object, index) => done[index]?.kind !== 'applied'),
  };
}

function failuresOf(applied: readonly Applied[]): readonly Failure[] {
  return applied.flatMap((item) => (item.kind === 'failed' ? [item.failure] : []));
}

function withheldOf(applied: readonly Applied[]): readonly NotReady[] {
  return applied.flatMap((item) => (item.kind === 'withheld' ? [item.notReady] : []));
}

function storedOf(applied: readonly Applied[]): readonly K8sObject[] {
  return applied.flatMap((item) => (item.kind === 'applied' ? [item.object] : []));
}
