/** Removes what an IstioOperator installed. */
import { isClusterError } from '../model/cluster-error.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { DeletionReport, FailureCause } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import { isAdministered } from './administered.ts';
import { isOurs } from './claim.ts';
import { deletionOf, isBeingDeleted, whyNotGone } from './deletion-state.ts';
import type { DeletionSettings, EngineDeps, Polling } from './engine.port.ts';
import { failureOf } from './failure.ts';
import { union, withoutUid } from './inventory.ts';
import { mapParallel } from './parallel.ts';
import { isProtected } from './protected.ts';
import type { BoundedRun } from './run.ts';
import { CALLS_AT_ONCE, pollUntil, throwIfCancelled } from './run.ts';
import { deletionGroups } from './stages.ts';

/**
 * Deletes what stands in the inventory, webhooks first and rights last, until all of it is gone, nothing that is left can
 * go, or the time is over. Objects that are gone, belong to another owner by now, are kept by the caller or are protected
 * (definitions, namespaces, volumes, certificate authorities) count as done. What fails is tried again and never stops
 * the rest. May be ended at any point and run again with the same inventory. When the signal is aborted, calls under way
 * are awaited and a ClusterError of kind `cancelled` is thrown.
 */
export async function deleteInstallation(
  deps: EngineDeps,
  settings: DeletionSettings,
): Promise<DeletionReport> {
  const run: BoundedRun = {
    cluster: deps.cluster,
    clock: deps.clock,
    signal: settings.signal,
    polling: settings.polling ?? DELETION_POLLING,
    deadlineMs: deps.clock.nowMs() + settings.timeoutMs,
  };
  const doomed = settings.inventory.filter((entry) => !isProtected(entry) && !stays(entry, settings));
  let left: readonly Left[] = doomed.map((entry) => ({
    kind: 'waiting',
    entry,
    reason: 'it is still there',
  }));
  await pollUntil(run, async () => {
    left = await deleteOnce(run, left, settings);
    return left.every(({ kind }) => kind === 'stuck') ? true : undefined;
  });
  return reportOf(left);
}

function stays(entry: InventoryEntry, { keep, hardened }: DeletionSettings): boolean {
  return keep?.(entry) === true || (hardened === true && isAdministered(entry));
}

/** Slower than waiting for readiness, since every look may send what failed once more. */
const DELETION_POLLING: Polling = { fastMs: 100, fastForMs: 1_000, slowMs: 1_000 };

/** `stuck`: trying again is of no use, because our rights are not enough. */
interface Left {
  readonly kind: 'waiting' | 'stuck';
  readonly entry: InventoryEntry;
  readonly reason: string;
  readonly refused?: true;
}

interface Target {
  readonly kind: 'target';
  readonly entry: InventoryEntry;
  readonly live: K8sObject;
}

type Look = { readonly kind: 'gone' } | Left | Target;

async function deleteOnce(
  run: BoundedRun,
  left: readonly Left[],
  settings: DeletionSettings,
): Promise<readonly Left[]> {
  const looks = await mapParallel(left, CALLS_AT_ONCE, ({ entry }) => look(run, entry, settings));
  const results = looks.filter((item) => item.kind !== 'target');
  const groups = deletionGroups(looks.filter((item) => item.kind === 'target'));
  for (const group of groups) {
    results.push(...(await mapParallel(group, CALLS_AT_ONCE, (target) => remove(run, target))));
  }
  return results.filter((item) => item.kind !== 'gone');
}

async function look(run: BoundedRun, entry: InventoryEntry, settings: DeletionSettings): Promise<Look> {
  return orLeft(entry, async () => {
    const live = await run.cluster.get(withoutUid(entry), { signal: run.signal, anyVersion: true });
    if (live === undefined || !isOurs(live, entry, settings.owner)) return { kind: 'gone' };
    return isBeingDeleted(live)
      ? { kind: 'waiting', entry, reason: whyNotGone(live) }
      : { kind: 'target', entry, live };
  });
}

/** An accepted deletion is not the end: finalizers may hold the object. The next look tells. */
async function remove(run: BoundedRun, { entry, live }: Target): Promise<Exclude<Look, Target>> {
  throwIfCancelled(run.signal);
  return orLeft(entry, async () => {
    const outcome = await run.cluster.delete(refOf(live), deletionOf(live, run.signal));
    return outcome === 'absent' ? { kind: 'gone' } : { kind: 'waiting', entry, reason: whyNotGone(live) };
  });
}

/** Somebody said no, and nothing says that this will pass. */
const REFUSALS: ReadonlySet<FailureCause> = new Set(['rights', 'admission', 'webhook']);

async function orLeft<T>(entry: InventoryEntry, attempt: () => Promise<T>): Promise<T | Left> {
  try {
    return await attempt();
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    const { message, retryable, cause } = failureOf(error, withoutUid(entry));
    const kind = retryable ? 'waiting' : 'stuck';
    return { kind, entry, reason: message, ...(REFUSALS.has(cause) ? { refused: true } : {}) };
  }
}

function reportOf(left: readonly Left[]): DeletionReport {
  if (left.length === 0) return { kind: 'deleted' };
  return {
    kind: 'blocked',
    remaining: left.map(({ entry, reason, refused }) => ({
      ref: withoutUid(entry),
      reason,
      ...(refused === undefined ? {} : { refused }),
    })),
    inventory: union(left.map(({ entry }) => entry)),
  };
}
