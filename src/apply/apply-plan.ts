/** The engine: makes the cluster equal to a plan. */
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf, uidOf } from '../model/object.ts';
import type { ComponentName, Owner, Plan, PlannedComponent } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import type { ApplyReport, ComponentResult } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import type { ComponentOutcome, ComponentRun } from './apply-component.ts';
import { applyComponent } from './apply-component.ts';
import type { ApplyRun } from './apply-object.ts';
import { plannedAutoscalers } from './autoscaling.ts';
import { labelledOwner } from './claim.ts';
import type { ApplySettings, EngineDeps } from './engine.port.ts';
import { additions, common, entriesFor, identities, union } from './inventory.ts';
import { createKnownEqual } from './known-equal.ts';
import { ensureNamespaces } from './namespaces.ts';
import { settleAll } from './parallel.ts';
import type { PruneReport } from './prune.ts';
import { prune } from './prune.ts';
import { DEFAULT_POLLING, throwIfCancelled } from './run.ts';

/**
 * Applies what differs from the plan, component after component, waits until each is ready, and then prunes what earlier
 * runs applied and the plan no longer has. What the API server says to single objects is in the report and never thrown.
 * A component that is not ready keeps those that depend on it untouched, and everything from being pruned.
 *
 * May be ended at any point and run again: it decides by the cluster and the inventory alone. When the signal is
 * aborted, calls under way are awaited and a ClusterError of kind `cancelled` is thrown. Errors of `recordInventory` are
 * thrown before anything is written.
 */
export async function applyPlan(deps: EngineDeps, plan: Plan, settings: ApplySettings): Promise<ApplyReport> {
  throwIfCancelled(settings.signal);
  const planned = entriesFor(objectsOf(plan));
  if (additions(settings.inventory, planned).length > 0) {
    await deps.recordInventory(union(settings.inventory, planned));
  }
  const run = await beginRun(deps, plan, settings);
  const outcomes = await applyComponents(deps, plan.components, (component) => {
    const deadlineMs = deps.clock.nowMs() + settings.readinessTimeoutMs;
    return applyComponent({ ...run, deadlineMs }, component);
  });
  const surplus = additions(planned, settings.inventory);
  const rendered = common(settings.inventory, planned);
  const pruned = isAllReady(outcomes)
    ? await prune(run, surplus, ownerOf(plan, settings))
    : untouched(surplus);
  for (const change of pruned.changes) deps.observer?.changed?.(change);
  return {
    components: new Map([...outcomes].map(([component, { result }]) => [component, result])),
    changes: [...[...outcomes.values()].flatMap(({ changes }) => changes), ...pruned.changes],
    inventory: union(uncertainEntries(outcomes), rendered, pruned.remaining, storedEntries(outcomes)),
    pruneFailures: pruned.failures,
  };
}

type Outcomes = ReadonlyMap<ComponentName, ComponentOutcome>;

async function beginRun(
  deps: EngineDeps,
  plan: Plan,
  settings: ApplySettings,
): Promise<Omit<ComponentRun, 'deadlineMs'>> {
  const run = runFor(deps, objectsOf(plan), settings);
  return {
    ...run,
    namespaceFailures: await ensureNamespaces(run, plan),
    changed: (change) => deps.observer?.changed?.(change),
  };
}

/** What applying these objects, and telling beforehand what would be applied, work with. */
export function runFor(
  deps: Pick<EngineDeps, 'cluster' | 'clock' | 'knownEqual'>,
  objects: readonly K8sObject[],
  settings: Pick<ApplySettings, 'signal' | 'inventory' | 'polling'>,
): Omit<ApplyRun, 'deadlineMs'> {
  const leaving = identities(additions(entriesFor(objects), settings.inventory));
  return {
    cluster: deps.cluster,
    clock: deps.clock,
    signal: settings.signal,
    polling: settings.polling ?? DEFAULT_POLLING,
    knownEqual: deps.knownEqual ?? createKnownEqual(),
    autoscalers: {
      planned: plannedAutoscalers(objects),
      isLeaving: (ref) => leaving.has(identityOf(ref)),
    },
  };
}

/** Runs components side by side, each after those that it depends on. The plan has them in dependency order. */
async function applyComponents(
  deps: EngineDeps,
  components: readonly PlannedComponent[],
  apply: (component: PlannedComponent) => Promise<ComponentOutcome>,
): Promise<Outcomes> {
  const started = new Map<ComponentName, Promise<ComponentOutcome>>();
  for (const component of components) {
    const before = component.after.flatMap((name) => {
      const outcome = started.get(name);
      return outcome === undefined ? [] : [{ name, outcome }];
    });
    started.set(component.component, applyAfter(deps, component, { before, apply }));
  }
  const outcomes = await settleAll([...started.values()]);
  return new Map([...started.keys()].map((name, index) => [name, outcomes[index] as ComponentOutcome])); // same length
}

interface Dependency {
  readonly name: ComponentName;
  readonly outcome: Promise<ComponentOutcome>;
}

async function applyAfter(
  deps: EngineDeps,
  component: PlannedComponent,
  {
    before,
    apply,
  }: { before: readonly Dependency[]; apply: (component: PlannedComponent) => Promise<ComponentOutcome> },
): Promise<ComponentOutcome> {
  const results = await Promise.all(before.map(async ({ name, outcome }) => ({ name, ...(await outcome) })));
  const waitingFor = results.filter(({ result }) => result.kind !== 'ready').map(({ name }) => name);
  if (waitingFor.length > 0) return finished(deps, component, skipped(waitingFor));
  deps.observer?.componentStarted?.(component.component);
  return finished(deps, component, await apply(component));
}

function finished(
  deps: EngineDeps,
  component: PlannedComponent,
  outcome: ComponentOutcome,
): ComponentOutcome {
  deps.observer?.componentFinished?.(component.component, outcome.result);
  return outcome;
}

function skipped(waitingFor: readonly ComponentName[]): ComponentOutcome {
  const result: ComponentResult = { kind: 'skipped', waitingFor };
  return { result, changes: [], stored: [], uncertain: [] };
}

function isAllReady(outcomes: Outcomes): boolean {
  return [...outcomes.values()].every(({ result }) => result.kind === 'ready');
}

function untouched(surplus: readonly InventoryEntry[]): PruneReport {
  return { changes: [], remaining: surplus, failures: [] };
}

/** A caller that doesn't know leaves it to the labels of what it applies. */
function ownerOf(plan: Plan, settings: ApplySettings): Owner | undefined {
  if (settings.owner !== undefined) return settings.owner;
  const labelled = objectsOf(plan)
    .map(labelledOwner)
    .find((owner) => owner !== undefined);
  return labelled === undefined ? undefined : { name: labelled.name, namespace: labelled.namespace ?? '' };
}

/** An object that was tried but not accepted may have been stored all the same: the answer can get lost. */
function uncertainEntries(outcomes: Outcomes): readonly InventoryEntry[] {
  return entriesFor([...outcomes.values()].flatMap(({ uncertain }) => uncertain));
}

function storedEntries(outcomes: Outcomes): readonly InventoryEntry[] {
  const stored = [...outcomes.values()].flatMap((outcome) => outcome.stored);
  const uids = new Map(stored.map((object) => [identityOf(refOf(object)), uidOf(object)]));
  return entriesFor(stored).map((entry) => {
    const uid = uids.get(identityOf(entry));
    return uid === undefined ? entry : { ...entry, uid };
  });
}
