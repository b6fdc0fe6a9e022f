/**
 * Deletes what an earlier run applied and the plan no longer has.
 *
 * That is: entries of the previous inventory whose object (by group, kind, namespace and name) is not in the plan, and
 * nothing else; never what carries a label. It happens last, when everything in the plan is applied and ready. An object
 * is deleted only when it was read and is ours (`claim.ts`), under the uid that was read. What is gone, belongs to
 * another owner, is wanted by one, or is of a kind that is no longer served in any version is released: it leaves the
 * inventory, untouched. What could not be read or deleted stays in the inventory for the next run. Protected objects
 * (`protected.ts`) and those that carry `owning-resource-not-pruned` stay in the cluster.
 */
import { isClusterError } from '../model/cluster-error.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { annotationsOf, labelsOf, refOf } from '../model/object.ts';
import type { Owner } from '../model/plan.ts';
import type { Change, ChangeAction } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import { isOurs } from './claim.ts';
import { deletionOf } from './deletion-state.ts';
import { failureOf } from './failure.ts';
import { withoutUid } from './inventory.ts';
import { mapParallel } from './parallel.ts';
import { isProtected } from './protected.ts';
import type { Run } from './run.ts';
import { CALLS_AT_ONCE, throwIfCancelled } from './run.ts';
import { deletionGroups } from './stages.ts';

export interface PruneReport {
  readonly changes: readonly Change[];
  /** What stays in the inventory. */
  readonly remaining: readonly InventoryEntry[];
  readonly failures: readonly PruneFailure[];
}

interface PruneFailure {
  readonly ref: ObjectRef;
  readonly message: string;
}

export interface PruneRules {
  readonly owner: Owner | undefined;
  /** Objects that somebody else is about to take over. */
  readonly keep?: ((ref: ObjectRef) => boolean) | undefined;
}

/** `surplus` are the entries that the plan no longer has. */
export async function prune(
  run: Run,
  surplus: readonly InventoryEntry[],
  rules: PruneRules,
): Promise<PruneReport> {
  const candidates = surplus.filter((entry) => !isProtected(entry));
  const looked = await mapParallel(candidates, CALLS_AT_ONCE, (entry) => look(run, entry, rules));
  const results = looked.filter((result) => result.kind !== 'doomed');
  const groups = deletionGroups(looked.filter((result) => result.kind === 'doomed'));
  for (const group of groups) {
    results.push(...(await mapParallel(group, CALLS_AT_ONCE, (doomed) => remove(run, doomed))));
  }
  return {
    changes: results.flatMap((result) => (result.kind === 'gone' ? [result.change] : [])),
    remaining: results.flatMap((result) => (result.kind === 'gone' ? [] : [result.entry])),
    failures: results.flatMap((result) => (result.kind === 'stuck' ? [result.failure] : [])),
  };
}

/** The live objects that `prune` would delete for these entries; what can't be read is left out. Writes nothing. */
export async function prunable(
  run: Run,
  surplus: readonly InventoryEntry[],
  rules: PruneRules,
): Promise<readonly K8sObject[]> {
  const candidates = surplus.filter((entry) => !isProtected(entry));
  const looked = await mapParallel(candidates, CALLS_AT_ONCE, (entry) => look(run, entry, rules));
  return looked.flatMap((result) => (result.kind === 'doomed' ? [result.live] : []));
}

interface Doomed {
  readonly kind: 'doomed';
  readonly entry: InventoryEntry;
  readonly live: K8sObject;
}

type Result =
  | { readonly kind: 'gone'; readonly change: Change }
  | { readonly kind: 'kept'; readonly entry: InventoryEntry }
  | { readonly kind: 'stuck'; readonly entry: InventoryEntry; readonly failure: PruneFailure };

async function look(run: Run, entry: InventoryEntry, { owner, keep }: PruneRules): Promise<Doomed | Result> {
  return orStuck(entry, async () => {
    if (keep?.(entry) === true) return gone(entry, 'released');
    const live = await run.cluster.get(withoutUid(entry), { signal: run.signal, anyVersion: true });
    if (live === undefined || !isOurs(live, entry, owner)) return gone(entry, 'released');
    return isKept(live) ? { kind: 'kept', entry } : { kind: 'doomed', entry, live };
  });
}

async function remove(run: Run, { entry, live }: Doomed): Promise<Result> {
  throwIfCancelled(run.signal);
  return orStuck(entry, async () => {
    const outcome = await run.cluster.delete(refOf(live), deletionOf(live, run.signal));
    return gone(entry, outcome === 'accepted' ? 'pruned' : 'released');
  });
}

async function orStuck<T>(entry: InventoryEntry, attempt: () => Promise<T | Result>): Promise<T | Result> {
  try {
    return await attempt();
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    const { ref, message } = failureOf(error, withoutUid(entry));
    return { kind: 'stuck', entry, failure: { ref, message } };
  }
}

const NOT_PRUNED = 'install.operator.istio.io/owning-resource-not-pruned';

/** Upstream knows it as a label; as an annotation it reads better and is understood as well. */
function isKept(live: K8sObject): boolean {
  return labelsOf(live)[NOT_PRUNED] === 'true' || annotationsOf(live)[NOT_PRUNED] === 'true';
}

function gone(entry: InventoryEntry, action: ChangeAction): Result {
  return { kind: 'gone', change: { ref: withoutUid(entry), action, fields: [], changedBy: [] } };
}
