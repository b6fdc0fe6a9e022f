/** What a resource that is refused does nevertheless. */
import { additions, common, entriesFor, union } from '../apply/inventory.ts';
import { isProtected } from '../apply/protected.ts';
import type { Outcome, Release } from '../model/outcome.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import type { InventoryEntry } from '../model/status.ts';
import type { Settlement } from './claims.ts';
import { hasFinalizer } from './finalizer.ts';
import { isDryRun, requiresApproval, storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';
import { hardening, ownerOf } from './visit.ts';

type ContestedOutcome = Extract<Outcome, { kind: 'contested' }>;

interface Refused {
  readonly settled: Extract<Settlement, { kind: 'refused' }>;
  readonly release: Release;
}

/**
 * A resource that is refused changes nothing, with one exception: what all control planes use, and whoever looked after
 * it has let go of, it takes over for what it has installed. Otherwise that would be nobody's, and stay for ever.
 */
export async function takeOverShared(
  deps: ReconcileDeps,
  visit: Visit,
  { settled, release }: Refused,
): Promise<ContestedOutcome> {
  const outcome: ContestedOutcome = { kind: 'contested', release, contested: settled.contested };
  const { resource } = visit;
  const before = storedStatus(resource)?.inventory ?? [];
  const plan = strays(deps, visit, settled.shared);
  if (before.length === 0 || !hasFinalizer(resource) || objectsOf(plan).length === 0) return outcome;
  if (isDryRun(resource) || requiresApproval(resource)) return outcome;
  return { ...outcome, inventory: await apply(deps, visit, { outcome, plan, before }) };
}

/** What is in the cluster and says that it belongs to somebody else. */
function strays(deps: ReconcileDeps, { key }: Visit, shared: Plan): Plan {
  const components = shared.components.map((planned) => ({
    ...planned,
    after: [],
    objects: planned.objects
      .filter((object) => !isProtected(refOf(object)))
      .filter((object) => deps.isOfAnother(key, refOf(object))),
  }));
  return { ...shared, components: components.filter(({ objects }) => objects.length > 0) };
}

interface TakeOver {
  readonly outcome: ContestedOutcome;
  readonly plan: Plan;
  readonly before: readonly InventoryEntry[];
}

async function apply(
  deps: ReconcileDeps,
  visit: Visit,
  { outcome, plan, before }: TakeOver,
): Promise<readonly InventoryEntry[]> {
  const { engine, cluster, clock, knownEqual } = deps;
  const taken = entriesFor(objectsOf(plan));
  // The engine deletes what is recorded and not in the plan, so it must not know of the rest.
  const rest = additions(taken, before);
  const report = await engine.apply(
    {
      cluster,
      clock,
      knownEqual,
      disputes: deps.disputes(visit.key),
      observer: { changed: (change) => visit.changed(change) },
      recordInventory: async (entries) => visit.writer.write({ ...outcome, inventory: union(rest, entries) }),
    },
    plan,
    {
      signal: visit.signal,
      owner: ownerOf(visit),
      inventory: common(before, taken),
      readinessTimeoutMs: 0,
      ...hardening(deps),
    },
  );
  return union(rest, report.inventory);
}
