/** Tells what applying a plan would change, without changing anything. */
import { isClusterError } from '../model/cluster-error.ts';
import { assertNever } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import type { Change, ChangeAction } from '../model/report.ts';
import { inspect, isAdministered } from './administered.ts';
import type { DecidingRun, Difference } from './apply-object.ts';
import { configured, needOf, needsRecreation } from './apply-object.ts';
import { runFor } from './apply-plan.ts';
import { appliedForm } from './applied-form.ts';
import type { ApplySettings, EngineDeps } from './engine.port.ts';
import { failureOf } from './failure.ts';
import { additions, entriesFor } from './inventory.ts';
import { sameContent } from './known-equal.ts';
import { mapParallel } from './parallel.ts';
import { prunable } from './prune.ts';
import { rivalsOf, withoutRivals } from './rivals.ts';
import { CALLS_AT_ONCE } from './run.ts';
import { withhold } from './withhold.ts';

export interface PreviewedChange {
  readonly change: Change;
  /** As it is; absent for what would be created. */
  readonly live?: K8sObject;
  /** As the API server would store it, or as it would be sent when it is created; absent for what would be pruned. */
  readonly after?: K8sObject;
}

export interface Preview {
  /** One for each object of the plan, in apply order, then what would be pruned. */
  readonly changes: readonly PreviewedChange[];
  /** What the API server would not accept, as far as it can be told: an object whose kind is not there yet can't be tried. */
  readonly failures: readonly { readonly ref: ObjectRef; readonly message: string }[];
}

type Previewed =
  | ({ readonly kind: 'change' } & PreviewedChange)
  | { readonly kind: 'failure'; readonly ref: ObjectRef; readonly message: string };

/**
 * Compares as `applyPlan` does, and asks the API server for the outcome of what differs by a dry run. The same decisions
 * are taken by the same code, so nothing but what happens in between makes the two differ. Throws ClusterError of kind
 * `cancelled` only.
 */
export async function previewPlan(
  deps: Pick<EngineDeps, 'cluster' | 'clock' | 'knownEqual' | 'disputes'>,
  plan: Plan,
  settings: Pick<ApplySettings, 'signal' | 'inventory' | 'owner' | 'keep' | 'hardened'>,
): Promise<Preview> {
  const objects = objectsOf(plan);
  const run: DecidingRun = { ...runFor(deps, objects, settings), deadlineMs: deps.clock.nowMs() };
  const previewed = await mapParallel(objects, CALLS_AT_ONCE, (object) => previewObject(run, object));
  const surplus = additions(entriesFor(objects), settings.inventory);
  const mortal = surplus.filter((entry) => !(run.hardened && isAdministered(entry)));
  const doomed = await prunable(run, mortal, { owner: settings.owner, keep: settings.keep });
  return {
    changes: [
      ...previewed.filter((item) => item.kind === 'change'),
      ...doomed.map((live) => ({ change: change(refOf(live), 'pruned'), live })),
    ],
    failures: previewed.filter((item) => item.kind === 'failure'),
  };
}

async function previewObject(run: DecidingRun, wanted: K8sObject): Promise<Previewed> {
  try {
    const desired = appliedForm(wanted);
    if (run.hardened && isAdministered(desired)) return await previewAdministered(run, desired);
    const need = await needOf(run, desired);
    const ref = refOf(desired);
    switch (need.kind) {
      case 'create':
        return { kind: 'change', change: change(ref, 'created'), after: desired };
      case 'recreate':
        return { kind: 'change', change: change(ref, 'created'), live: need.live, after: desired };
      case 'configure':
        return await previewDifference(run, need);
      case 'none':
        return { kind: 'change', change: change(ref, 'unchanged'), live: need.live, after: need.live };
      default:
        return assertNever(need);
    }
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return { kind: 'failure', ...failureOf(error, refOf(wanted)) };
  }
}

async function previewAdministered(run: DecidingRun, desired: K8sObject): Promise<Previewed> {
  const found = await inspect(run, desired);
  if (found.kind === 'failed') return { kind: 'failure', ...found.failure };
  const { object: live } = found;
  return { kind: 'change', change: change(refOf(live), 'unchanged'), live, after: live };
}

async function previewDifference(run: DecidingRun, difference: Difference): Promise<Previewed> {
  const { intended, live } = difference;
  const rivals = rivalsOf(intended, live);
  // Beside its rival the API server would refuse an item of ours, also in a dry run.
  const accepted = withhold(
    intended,
    live,
    rivals.map(({ wanted }) => wanted),
  );
  try {
    const stored = await run.cluster.apply(accepted, { signal: run.signal, force: true, dryRun: true });
    const after = withoutRivals(stored, rivals, intended);
    // Admission may make nothing of the difference: then applying writes nothing either.
    const isSame = sameContent(after, live);
    const told = isSame ? change(refOf(live), 'unchanged') : configured(difference);
    return { kind: 'change', change: told, live, after };
  } catch (error) {
    if (!isClusterError(error, 'invalid') || !needsRecreation(error, live)) throw error;
    return { kind: 'change', change: { ...configured(difference), recreated: true }, live, after: intended };
  }
}

function change(ref: ObjectRef, action: ChangeAction): Change {
  return { ref, action, fields: [], changedBy: [] };
}
