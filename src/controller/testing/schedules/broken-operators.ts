/** Operators with one fault each, to see that schedules find it. */
import { applyPlan } from '../../../apply/apply-plan.ts';
import { deleteInstallation } from '../../../apply/delete-installation.ts';
import { additions, common, entriesFor } from '../../../apply/inventory.ts';
import { objectsOf } from '../../../model/plan.ts';
import type { ComponentResult } from '../../../model/report.ts';
import type { InventoryEntry } from '../../../model/status.ts';
import type { Engine } from '../../visit.ts';
import type { WatchPort } from '../../watch.port.ts';
import type { Ports } from './connection.ts';
import type { Subject } from './trial.ts';
import { OPERATOR } from './trial.ts';

type Apply = Engine['apply'];

export const BROKEN_OPERATORS: Readonly<Record<string, Subject>> = {
  'prunes before everything is applied': applying(async (deps, plan, settings) => {
    const { signal, owner, inventory } = settings;
    const surplus = additions(entriesFor(objectsOf(plan)), inventory);
    const whose = owner === undefined ? {} : { owner };
    await deleteInstallation(deps, { signal, ...whose, inventory: surplus, timeoutMs: 0 });
    return applyPlan(deps, plan, settings);
  }),
  'deletes by name and not by uid': connected((ports) => ({
    delete: async (ref, { signal }) => ports.delete(ref, { signal }),
  })),
  'writes its status to whatever bears the name': connected((ports) => ({
    patchStatus: async (ref, status, { signal }) => ports.patchStatus(ref, status, { signal }),
  })),
  'records the inventory after the writes': applying(async (deps, plan, settings) => {
    let late: readonly InventoryEntry[] | undefined;
    const recordInventory = async (entries: readonly InventoryEntry[]): Promise<void> => {
      late = entries;
    };
    const report = await applyPlan({ ...deps, recordInventory }, plan, settings);
    if (late !== undefined) await deps.recordInventory(late);
    return report;
  }),
  'trims the inventory before the prune': applying(async (deps, plan, settings) => {
    const recordInventory = async (entries: readonly InventoryEntry[]): Promise<void> =>
      deps.recordInventory(common(entries, entriesFor(objectsOf(plan))));
    return applyPlan({ ...deps, recordInventory }, plan, settings);
  }),
  'forgets what it could not prune': applying(async (deps, plan, settings) => {
    const report = await applyPlan(deps, plan, settings);
    return { ...report, inventory: common(report.inventory, entriesFor(objectsOf(plan))) };
  }),
  'forgets what may have been stored although nobody said so': applying(async (deps, plan, settings) => {
    const report = await applyPlan(deps, plan, settings);
    const known = report.inventory.filter(({ uid }) => uid !== undefined);
    return { ...report, inventory: known };
  }),
  'prunes nothing after a restart': applying(async (deps, plan, settings) => {
    const inventory = wasHereBefore(deps.clock) ? settings.inventory : [];
    return applyPlan(deps, plan, { ...settings, inventory });
  }),
  'calls ready what does not run yet': applying(async (deps, plan, settings) => {
    const report = await applyPlan(deps, plan, settings);
    return { ...report, components: new Map([...report.components.keys()].map((name) => [name, READY])) };
  }),
  'lets the resource go before everything is deleted': {
    ...OPERATOR,
    engine: {
      ...OPERATOR.engine,
      delete: async (deps, settings) => {
        await deleteInstallation(deps, { ...settings, timeoutMs: 0 });
        return { kind: 'deleted' };
      },
    },
  },
  'hears of no change': connected((ports) => ({ watch: deaf(ports) })),
};

const READY: ComponentResult = { kind: 'ready' };

function applying(apply: Apply): Subject {
  return { ...OPERATOR, engine: { ...OPERATOR.engine, apply } };
}

function connected(change: (ports: Ports) => Partial<Ports>): Subject {
  return { ...OPERATOR, connect: (ports) => ({ ...bound(ports), ...change(ports) }) };
}

function bound(ports: Ports): Ports {
  return {
    get: ports.get.bind(ports),
    list: ports.list.bind(ports),
    apply: ports.apply.bind(ports),
    replaceManagedFields: ports.replaceManagedFields.bind(ports),
    delete: ports.delete.bind(ports),
    patchStatus: ports.patchStatus.bind(ports),
    setFinalizers: ports.setFinalizers.bind(ports),
    createEvent: ports.createEvent.bind(ports),
    scanMetadata: ports.scanMetadata.bind(ports),
    serverVersion: ports.serverVersion.bind(ports),
    watch: ports.watch.bind(ports),
  };
}

const started = new WeakSet<object>();

/** True from the second time on. */
function wasHereBefore(process: object): boolean {
  const before = started.has(process);
  started.add(process);
  return before;
}

/** Only the resource itself is still watched. */
function deaf(ports: Ports): WatchPort['watch'] {
  return (kind, options) => {
    const watched = ports.watch(kind, options);
    if (kind.kind === 'IstioOperator') return watched;
    return {
      synced: watched.synced,
      isSynced: () => true,
      onSync: () => () => undefined,
      get: (ref) => watched.get(ref),
      list: () => watched.list(),
      onChange: () => () => undefined,
      refresh: async () => watched.refresh(),
      stop: () => watched.stop(),
    };
  };
}
