/** Makes one object of the cluster equal to what is wanted, with as few calls as can be. */
import { isDefinition, isNewerDefinition } from '../core/objects/definition-release.ts';
import type { ClusterError } from '../model/cluster-error.ts';
import { isClusterError } from '../model/cluster-error.ts';
import type { JsonArray } from '../model/json.ts';
import { assertNever, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, groupOf, namespaceOf, refOf } from '../model/object.ts';
import type { Change, NotReady } from '../model/report.ts';
import { inspect, isAdministered } from './administered.ts';
import { managedFieldsWithoutReplaced } from './adoption.ts';
import { appliedForm } from './applied-form.ts';
import type { Autoscalers } from './autoscaling.ts';
import { isAutoscaled, startingForm } from './autoscaling.ts';
import type { Verdict } from './compare.ts';
import { compare, flipsBetween } from './compare.ts';
import { deletionOf, isBeingDeleted, whyNotGone } from './deletion-state.ts';
import type { Disputes } from './disputes.ts';
import type { GatewayTurns } from './gateway-turns.ts';
import type { KnownEqual } from './engine.port.ts';
import type { Failure } from './failure.ts';
import { failureOf } from './failure.ts';
import { leaveToOthers } from './hands-off.ts';
import { pairOf, sameContent } from './known-equal.ts';
import { NAMESAKE } from './last-equal.ts';
import type { EnsureNamespace } from './namespaces.ts';
import { blamingRivals, flippedByRival, managedFieldsWithRivals, rivalsOf } from './rivals.ts';
import type { BoundedRun } from './run.ts';
import { waitUntilGone } from './wait.ts';
import { withhold } from './withhold.ts';

export interface ApplyRun extends BoundedRun {
  readonly knownEqual: KnownEqual;
  readonly autoscalers: Autoscalers;
  readonly disputes: Disputes;
  readonly turns: GatewayTurns;
  /** As in ApplySettings. */
  readonly hardened: boolean;
  readonly ensureNamespace: EnsureNamespace;
}

export type Applied =
  | { readonly kind: 'applied'; readonly change: Change; readonly object: K8sObject }
  /** Not written for now, on purpose. */
  | { readonly kind: 'withheld'; readonly notReady: NotReady }
  | { readonly kind: 'failed'; readonly failure: Failure };

type AsApplied = Extract<Applied, { readonly kind: 'applied' }>;

/** What deciding takes; nothing of it writes. */
export type DecidingRun = Omit<ApplyRun, 'ensureNamespace'>;

/**
 * Reads, compares, and applies only what differs, taking fields over from other managers. An object that is being
 * deleted is awaited and made anew; one whose immutable field changed is deleted and made anew, where that is harmless
 * enough. Throws only what is no answer of the API server, and `cancelled`.
 */
export async function applyObject(run: ApplyRun, wanted: K8sObject): Promise<Applied> {
  try {
    const desired = appliedForm(wanted);
    if (run.hardened && isAdministered(desired)) return await inspected(run, desired);
    const reconciled = await reconcileObject(run, desired);
    if (reconciled.kind !== 'applied') return reconciled;
    const applied = await completeAdoption(run, reconciled);
    run.disputes.lastEqual.note(desired, applied.object);
    return applied;
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return { kind: 'failed', failure: failureOf(error, refOf(wanted)) };
  }
}

async function inspected(run: ApplyRun, desired: K8sObject): Promise<Applied> {
  const found = await inspect(run, desired);
  return found.kind === 'asPlanned' ? unchanged(found.object) : found;
}

async function completeAdoption(run: ApplyRun, applied: AsApplied): Promise<AsApplied> {
  try {
    const object = await replaceOwners(run, applied.object, managedFieldsWithoutReplaced);
    return { ...applied, object: object ?? applied.object };
  } catch (error) {
    // What is not done is found again by the next look.
    if (!isClusterError(error, 'conflict')) throw error;
    return applied;
  }
}

const OWNER_TRIES = 5;

/**
 * Says anew who owns what, as long as that has to be said: controllers write status at the same moment. Gives the
 * object as it is then; undefined when it is gone. Throws a conflict after some tries.
 */
async function replaceOwners(
  run: ApplyRun,
  found: K8sObject,
  ownersOf: (live: K8sObject) => JsonArray | undefined,
): Promise<K8sObject | undefined> {
  let object: K8sObject | undefined = found;
  for (let tries = 1; object !== undefined; tries += 1) {
    const managedFields = ownersOf(object);
    if (managedFields === undefined) return object;
    try {
      return await run.cluster.replaceManagedFields(object, managedFields, run);
    } catch (error) {
      if (!isClusterError(error, 'conflict') || tries >= OWNER_TRIES) throw error;
    }
    object = await run.cluster.get(refOf(found), run);
  }
  return undefined;
}

async function reconcileObject(run: ApplyRun, desired: K8sObject): Promise<Applied> {
  const need = await needOf(run, desired);
  switch (need.kind) {
    case 'create':
      return make(run, desired, async () => create(run, desired));
    case 'recreate':
      return make(run, desired, async () => createAfter(run, desired, need.live));
    case 'configure':
      return run.turns.take(run, need, async () => repair(run, desired, need));
    case 'none':
      return unchanged(need.live);
    default:
      return assertNever(need);
  }
}

async function make(run: ApplyRun, desired: K8sObject, write: () => Promise<Applied>): Promise<Applied> {
  const isDrift = run.disputes.lastEqual.knows(desired);
  if (!run.disputes.making(desired, run.clock.nowMs())) return leftAbsent(desired);
  const applied = await counted(run, desired, write);
  if (applied.kind !== 'applied' || !isDrift) return applied;
  return { ...applied, change: { ...applied.change, drifted: true } };
}

async function repair(run: ApplyRun, desired: K8sObject, difference: Difference): Promise<Applied> {
  const need = withoutDisputed(run, desired, difference);
  if (need.kind === 'none') return unchanged(need.live);
  const drift = driftIn(run, desired, need);
  const applied = await counted(run, desired, async () => configure(run, need));
  if (applied.kind !== 'applied' || applied.change.action !== 'configured') return applied;
  return { ...applied, change: { ...applied.change, ...drift } };
}

/** A write that failed, or changed nothing, is no repair that others could undo. */
async function counted(run: ApplyRun, desired: K8sObject, write: () => Promise<Applied>): Promise<Applied> {
  let hasWritten = false;
  try {
    const applied = await write();
    hasWritten = applied.kind === 'applied' && applied.change.action !== 'unchanged';
    return applied;
  } finally {
    if (!hasWritten) run.disputes.notRepaired(desired, run.clock.nowMs());
  }
}

/** What the change is to be told as, when it is known that others are behind it. */
function driftIn(
  run: ApplyRun,
  desired: K8sObject,
  { intended, live, verdict }: Difference,
): Partial<Pick<Change, 'changedBy' | 'drifted' | 'suspect'>> {
  const { lastEqual } = run.disputes;
  if (!lastEqual.knows(desired)) return {};
  const namesake = flipsBetween(intended, live).some(({ isOurs }) => isOurs) ? [NAMESAKE] : [];
  const owners = [...new Set([...verdict.changedBy, ...namesake])].toSorted();
  return { drifted: true, ...(owners.length > 0 ? { changedBy: owners } : lastEqual.culpritSince(live)) };
}

/** What others have changed too often is no longer put back: only the rest is. */
function withoutDisputed(
  run: ApplyRun,
  desired: K8sObject,
  difference: Difference,
): Extract<Need, { kind: 'configure' | 'none' }> {
  const { live, intended: before } = difference;
  const rivals = rivalsOf(before, live);
  const flips = flipsBetween(before, live).map((flip) => flippedByRival(flip, rivals));
  const left = run.disputes.repairing(desired, { live, flips }, run.clock.nowMs());
  if (left.length === 0) return { kind: 'configure', ...difference };
  const intended = withhold(before, live, left);
  const verdict = blamingRivals(compare(intended, live), intended, live);
  return verdict.kind === 'differs' ? { kind: 'configure', intended, live, verdict } : { kind: 'none', live };
}

function leftAbsent(desired: K8sObject): Applied {
  const reason = 'others delete it again and again, so it is not made again for now';
  return { kind: 'withheld', notReady: { ref: refOf(desired), reason } };
}

/** What has to be done about one object. */
export type Need =
  | { readonly kind: 'create' }
  /** It is on its way out and has to be made anew. */
  | { readonly kind: 'recreate'; readonly live: K8sObject }
  | ({ readonly kind: 'configure' } & Difference)
  | { readonly kind: 'none'; readonly live: K8sObject };

/** Decides without writing anything; `desired` must be in its applied form. Throws ClusterError. */
export async function needOf(run: DecidingRun, desired: K8sObject): Promise<Need> {
  const live = await run.cluster.get(refOf(desired), { signal: run.signal });
  if (live === undefined) return { kind: 'create' };
  if (isBeingDeleted(live)) return { kind: 'recreate', live };
  // Another control plane, or a version that was set back, left fields that objects may be using.
  if (isDefinition(live) && isNewerDefinition(live, desired)) return { kind: 'none', live };

  const autoscaled = await isAutoscaled(run, { workload: desired, live }, run.autoscalers);
  const disputed = run.disputes.held(desired, live, run.clock.nowMs());
  const intended = withhold(leaveToOthers(desired, live, { autoscaled }), live, disputed);
  const verdict = blamingRivals(await decide(run, intended, live), intended, live);
  return verdict.kind === 'differs' ? { kind: 'configure', intended, live, verdict } : { kind: 'none', live };
}

type Decision = Exclude<Verdict, { readonly kind: 'undecided' }>;

/** Asks the server where comparing can't tell, and remembers when it says that nothing would change. */
async function decide(run: DecidingRun, intended: K8sObject, live: K8sObject): Promise<Decision> {
  const verdict = compare(intended, live);
  if (verdict.kind === 'same') return verdict;
  const pair = pairOf(intended, live);
  if (run.knownEqual.has(pair)) return { kind: 'same' };
  if (verdict.kind === 'differs') return verdict;

  const outcome = await run.cluster.apply(intended, { signal: run.signal, force: true, dryRun: true });
  if (!sameContent(outcome, live)) return { kind: 'differs', fields: verdict.fields, changedBy: [] };
  run.knownEqual.add(pair);
  return { kind: 'same' };
}

async function create(run: ApplyRun, desired: K8sObject): Promise<Applied> {
  const namespace = namespaceOf(desired);
  const obstacle = namespace === undefined ? undefined : await run.ensureNamespace(namespace);
  if (obstacle !== undefined) return { kind: 'failed', failure: obstacle };

  const made = startingForm(desired, run.autoscalers);
  const object = await run.cluster.apply(made, { signal: run.signal, force: true });
  rememberIfUndecided(run, made, object);
  return {
    kind: 'applied',
    object,
    change: { ref: refOf(desired), action: 'created', fields: [], changedBy: [] },
  };
}

export interface Difference {
  readonly intended: K8sObject;
  readonly live: K8sObject;
  readonly verdict: Extract<Verdict, { readonly kind: 'differs' }>;
}

async function configure(run: ApplyRun, difference: Difference): Promise<Applied> {
  const { intended, live, verdict } = difference;
  try {
    await replaceOwners(run, live, (found) => managedFieldsWithRivals(intended, found));
    const object = await run.cluster.apply(intended, { signal: run.signal, force: true });
    if (versionOf(object) === versionOf(live)) return alreadyEqual(run, intended, object);
    rememberIfUndecided(run, intended, object);
    return { kind: 'applied', object, change: configured(difference) };
  } catch (error) {
    if (!isClusterError(error, 'invalid') || !needsRecreation(error, live)) throw error;
    return recreate(run, { intended, live, verdict });
  }
}

/** How a change to what differs is reported. */
export function configured({ intended, verdict }: Difference): Change {
  const { fields, changedBy } = verdict;
  return { ref: refOf(intended), action: 'configured', fields, changedBy };
}

/** The server made nothing of our difference, and will not the next time either: an admission plugin may undo it. */
function alreadyEqual(run: ApplyRun, intended: K8sObject, live: K8sObject): Applied {
  run.knownEqual.add(pairOf(intended, live));
  return unchanged(live);
}

/** What was just applied is equal by definition; so the next run needs no dry run to find out. */
function rememberIfUndecided(run: ApplyRun, intended: K8sObject, stored: K8sObject): void {
  if (compare(intended, stored).kind === 'undecided') run.knownEqual.add(pairOf(intended, stored));
}

function unchanged(live: K8sObject): Applied {
  return {
    kind: 'applied',
    object: live,
    change: { ref: refOf(live), action: 'unchanged', fields: [], changedBy: [] },
  };
}

/**
 * Kinds with immutable fields that can be made anew without loss. A Service would lose its address and ports, a claim
 * its data, a definition all its objects: their changes are refused instead.
 */
const RECREATABLE: ReadonlySet<string> = new Set([
  'apps/Deployment',
  'apps/DaemonSet',
  'batch/Job',
  'autoscaling/HorizontalPodAutoscaler',
  'rbac.authorization.k8s.io/RoleBinding',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
]);

const IMMUTABLE = /field is immutable|cannot change roleRef/i;

/** Whether an error says that a field is immutable, of a kind that can be deleted and made anew. */
export function needsRecreation(error: ClusterError, live: K8sObject): boolean {
  return RECREATABLE.has(`${groupOf(live.apiVersion)}/${live.kind}`) && IMMUTABLE.test(error.message);
}

/** However short the time of the run: what we deleted should not stay away until the next one. */
const RECREATION_MS = 10_000;

async function recreate(run: ApplyRun, difference: Difference): Promise<Applied> {
  const { intended, live } = difference;
  await run.cluster.delete(refOf(live), deletionOf(live, run.signal));
  const deadlineMs = Math.max(run.deadlineMs, run.clock.nowMs() + RECREATION_MS);
  const applied = await createAfter({ ...run, deadlineMs }, intended, live);
  if (applied.kind !== 'applied') return applied;
  return { ...applied, change: { ...configured(difference), recreated: true } };
}

async function createAfter(run: ApplyRun, desired: K8sObject, old: K8sObject): Promise<Applied> {
  if (await waitUntilGone(run, old)) return create(run, desired);
  const ref = refOf(desired);
  const message = `${displayRef(ref)}: ${whyNotGone(old)}. Remove its finalizers if nobody is left to do so.`;
  return { kind: 'failed', failure: { ref, message, retryable: true, cause: 'object' } };
}

function versionOf(object: K8sObject): string | undefined {
  return stringAt(object, 'metadata', 'resourceVersion');
}
