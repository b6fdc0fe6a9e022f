/** What happens when a resource is deleted. */
import { isProtected } from '../apply/protected.ts';
import type { Outcome, Usage } from '../model/outcome.ts';
import type { InventoryEntry } from '../model/status.ts';
import { finalizersWithoutOurs } from './finalizer.ts';
import { usageOf } from './in-use.ts';
import { keepFor } from './keep.ts';
import { conditionOf, deletionTimeMs, storedStatus } from './resource.ts';
import { surveyOthers } from './survey.ts';
import type { ReconcileDeps, Visit } from './visit.ts';
import { hardening, ownerOf, storeFinalizers } from './visit.ts';

/** How long one run waits for objects to go. Their going wakes us up, so there is no need to stay longer. */
const LINGER_MS = 2_000;

/** After that time since the deletion was asked for, objects that are still there count as a failure; refused ones at once. */
const PATIENCE_MS = 60_000;

/** Deletes what the inventory holds and nobody else wants, and then lets the resource go. */
export async function uninstall(deps: ReconcileDeps, visit: Visit): Promise<Outcome> {
  const { engine, cluster, clock } = deps;
  const { writer, signal } = visit;
  const inventory = inventoryOf(visit);
  if (inventory.length === 0) return release(deps, visit, 0);
  const usage = await usageBefore(deps, visit);
  if (usage !== undefined) return { kind: 'inUse', usage, inventory };
  const recordInventory = async (entries: readonly InventoryEntry[]): Promise<void> =>
    writer.write({ kind: 'deleting', remaining: [], inventory: entries });
  if (!saysDeleting(visit)) await recordInventory(inventory);
  await surveyOthers(deps, visit);
  const report = await engine.delete(
    { cluster, clock, recordInventory },
    {
      signal,
      owner: ownerOf(visit),
      inventory,
      timeoutMs: LINGER_MS,
      keep: keepFor(deps, visit),
      ...hardening(deps),
    },
  );
  if (report.kind === 'deleted') return release(deps, visit, 0);
  const { remaining } = report;
  const isRefused = remaining.some(({ refused }) => refused === true);
  const waitedMs = clock.nowMs() - (deletionTimeMs(visit.resource) ?? clock.nowMs());
  return {
    kind: waitedMs < PATIENCE_MS && !isRefused ? 'deleting' : 'deletionBlocked',
    remaining,
    inventory: report.inventory,
  };
}

/** Leaves everything that was installed and lets the resource go. */
export async function letGo(deps: ReconcileDeps, visit: Visit): Promise<Outcome> {
  return release(deps, visit, inventoryOf(visit).length);
}

async function release(deps: ReconcileDeps, visit: Visit, left: number): Promise<Outcome> {
  await storeFinalizers(deps, visit, finalizersWithoutOurs(visit.writer.resource));
  const administered = hardening(deps).hardened ? { administeredFor: ownerOf(visit) } : {};
  return { kind: 'deleted', left, ...administered, ...unrecorded(deps, visit) };
}

/** Only where nothing is recorded at all: otherwise the record is exact, and the watches may lag behind it. */
function unrecorded(
  { labelled }: ReconcileDeps,
  visit: Visit,
): Pick<Extract<Outcome, { kind: 'deleted' }>, 'unrecorded'> {
  if (inventoryOf(visit).length > 0) return {};
  const refs = labelled(visit.key).filter((ref) => !isProtected(ref));
  return refs.length === 0 ? {} : { unrecorded: { owner: ownerOf(visit), refs } };
}

/** Once something is deleted the control plane is no longer whole, so there is nothing to keep. */
async function usageBefore(deps: ReconcileDeps, visit: Visit): Promise<Usage | undefined> {
  const status = storedStatus(visit.resource);
  return status === undefined || saysDeleting(visit) ? undefined : usageOf(deps, visit, status);
}

function saysDeleting({ resource }: Visit): boolean {
  const reason = conditionOf(storedStatus(resource), 'Ready')?.reason;
  return reason === 'Deleting' || reason === 'DeletionBlocked';
}

function inventoryOf({ resource }: Visit): readonly InventoryEntry[] {
  return storedStatus(resource)?.inventory ?? [];
}
