/** The engine: makes the cluster equal to a plan. */
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf, uidOf } from '../model/object.ts';
import type { ComponentName, Owner, Plan, PlannedComponent } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import type { ApplyReport, ComponentResult } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import { isAdministered } from './administered.ts';
import type { ComponentOutcome, ComponentRun } from './apply-component.ts';
import { applyComponent } from './apply-component.ts';
import type { ApplyRun } from './apply-object.ts';
import { plannedAutoscalers } from './autoscaling.ts';
import { labelledOwner } from './claim.ts';
import type { ComponentSteps } from './component-order.ts';
import { runInOrder } from './component-order.ts';
import { Disputes } from './disputes.ts';
import type { ApplySettings, EngineDeps } from './engine.port.ts';
import { GatewayTurns } from './gateway-turns.ts';
import { additions, common, entriesFor, identities, union } from './inventory.ts';
import { createKnownEqual } from './known-equal.ts';
import { namespaceKeeper } from './namespaces.ts';
import type { PruneReport } from './prune.ts';
import { prune } from './prune.ts';
import { DEFAULT_POLLING, throwIfCancelled } from './run.ts';
import { isGatewayWorkload } from './stages.ts';

/**
 * Applies what differs from the plan, component after component, waits until each is ready, and then prunes what earlier
 * runs applied and the plan no longer has. What the API server says to single objects is in the report and never thrown.
 * A component that is not ready keeps those that depend on it untouched, and everything from being pruned.
 *
 * May be ended at any point and run again: it decides by the cluster and the inventory alone. When the signal is
 * aborted, calls under way are awaited and a ClusterError of kind `cancelled` is thrown. Errors of `recordInventory` are
 * thrown before anything is written.
 */
export async function applyPlan(deps: EngineDeps, plan: Plan, given: ApplySettings): Promise<ApplyReport> {
  throwIfCancelled(given.signal);
  const recordable = recordableIn(given);
  const settings = { ...given, inventory: recordable(given.inventory) };
  const planned = recordable(entriesFor(objectsOf(plan)));
  if (additions(settings.inventory, planned).length > 0) {
    await deps.recordInventory(union(settings.inventory, planned));
  }
  const run = beginRun(deps, plan, settings);
  const outcomes = await runInOrder(plan.components, componentSteps(deps, run, settings));
  const surplus = additions(planned, settings.inventory);
  const pruned = [...outcomes.values()].every(isReady)
    ? await prune(run, surplus, { owner: ownerOf(plan, settings), keep: settings.keep })
    : untouched(surplus);
  for (const change of pruned.changes) {
    run.disputes.forget(change.ref);
    deps.observer?.changed?.(change);
  }
  const disputes = run.disputes.open(run.clock.nowMs());
  const rendered = common(settings.inventory, planned);
  return {
    components: new Map([...outcomes].map(([component, { result }]) => [component, result])),
    changes: [...[...outcomes.values()].flatMap(({ changes }) => changes), ...pruned.changes],
    inventory: recordable(
      union(uncertainEntries(outcomes), rendered, pruned.remaining, storedEntries(outcomes)),
    ),
    pruneFailures: pruned.failures,
    ...(disputes.length === 0 ? {} : { disputes }),
  };
}

/** What an administrator keeps is none of ours, also where we applied it before we were hardened. */
function recordableIn({
  hardened,
}: ApplySettings): (entries: readonly InventoryEntry[]) => readonly InventoryEntry[] {
  return (entries) => (hardened === true ? entries.filter((entry) => !isAdministered(entry)) : entries);
}

type Outcomes = ReadonlyMap<ComponentName, ComponentOutcome>;

/** Everything but the deadline, which begins with each component. */
type PlanRun = Omit<ComponentRun, 'deadlineMs'>;

function beginRun(deps: EngineDeps, plan: Plan, settings: ApplySettings): PlanRun {
  const run = runFor(deps, objectsOf(plan), settings);
  return {
    ...run,
    ensureNamespace: namespaceKeeper(run, plan),
    turns: new GatewayTurns(
      objectsOf(plan).filter(isGatewayWorkload).map(refOf),
      settings.gatewayPatienceMs ?? settings.readinessTimeoutMs / 2,
    ),
    isAtRest: settings.isAtRest ?? false,
    changed: (change) => deps.observer?.changed?.(change),
  };
}

/** What applying these objects, and telling beforehand what would be applied, work with. */
export function runFor(
  deps: Pick<EngineDeps, 'cluster' | 'clock' | 'knownEqual' | 'disputes'>,
  objects: readonly K8sObject[],
  settings: Pick<ApplySettings, 'signal' | 'inventory' | 'polling' | 'hardened'>,
): Omit<ApplyRun, 'deadlineMs' | 'ensureNamespace'> {
  const leaving = identities(additions(entriesFor(objects), settings.inventory));
  return {
    cluster: deps.cluster,
    clock: deps.clock,
    signal: settings.signal,
    polling: settings.polling ?? DEFAULT_POLLING,
    knownEqual: deps.knownEqual ?? createKnownEqual(),
    disputes: deps.disputes ?? new Disputes(),
    turns: new GatewayTurns([], 0),
    hardened: settings.hardened ?? false,
    autoscalers: {
      planned: plannedAutoscalers(objects),
      isLeaving: (ref) => leaving.has(identityOf(ref)),
    },
  };
}

function componentSteps(
  deps: EngineDeps,
  run: PlanRun,
  settings: ApplySettings,
): ComponentSteps<ComponentOutcome> {
  const { observer, clock } = deps;
  const finished = ({ component }: PlannedComponent, outcome: ComponentOutcome): ComponentOutcome => {
    observer?.componentFinished?.(component, outcome.result);
    return outcome;
  };
  return {
    apply: async (planned) => {
      observer?.componentStarted?.(planned.component);
      const deadlineMs = clock.nowMs() + settings.readinessTimeoutMs;
      return finished(planned, await applyComponent({ ...run, deadlineMs }, planned));
    },
    skip: (planned, waitingFor) => {
      const result: ComponentResult = { kind: 'skipped', waitingFor };
      return finished(planned, { result, changes: [], stored: [], uncertain: [] });
    },
    isReady,
  };
}

function isReady({ result }: ComponentOutcome): boolean {
  return result.kind === 'ready';
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
