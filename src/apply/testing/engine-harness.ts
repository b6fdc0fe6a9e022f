/** The engine over an in-memory API server, run after run as the controller would. */
import type { JsonObject } from '../../model/json.ts';
import type { ObjectRef } from '../../model/object.ts';
import type { ComponentName, Plan } from '../../model/plan.ts';
import type { ApplyReport, Change } from '../../model/report.ts';
import type { InventoryEntry } from '../../model/status.ts';
import { applyPlan } from '../apply-plan.ts';
import { Disputes } from '../disputes.ts';
import type { ApplySettings, KnownEqual } from '../engine.port.ts';
import { createKnownEqual } from '../known-equal.ts';
import { InMemoryApi } from './in-memory-api.ts';
import { JumpingClock } from './jumping-clock.ts';
import { OWNER } from './objects.ts';

export class EngineHarness {
  readonly api = new InMemoryApi();
  readonly clock = new JumpingClock();
  readonly recorded: (readonly InventoryEntry[])[] = [];
  readonly told: string[] = [];
  readonly abort = new AbortController();
  knownEqual: KnownEqual = createKnownEqual();
  disputes = new Disputes();
  inventory: readonly InventoryEntry[] = [];

  /** Applies a plan on top of what the runs before it left. */
  async run(plan: Plan, settings: Partial<ApplySettings> = {}): Promise<ApplyReport> {
    this.api.calls.length = 0;
    this.recorded.length = 0;
    const deps = {
      cluster: this.api,
      clock: this.clock,
      knownEqual: this.knownEqual,
      disputes: this.disputes,
      observer: {
        componentStarted: (name: ComponentName) => this.told.push(`${name} started`),
        componentFinished: (name: ComponentName, { kind }: { kind: string }) =>
          this.told.push(`${name} ${kind}`),
        changed: (change: Change) => this.told.push(`${change.action} ${change.ref.name}`),
      },
      recordInventory: async (entries: readonly InventoryEntry[]) => {
        this.recorded.push(entries);
        this.api.calls.push({ verb: 'list', target: 'the inventory is recorded' });
      },
    };
    const report = await applyPlan(deps, plan, {
      signal: this.abort.signal,
      inventory: this.inventory,
      readinessTimeoutMs: 60_000,
      owner: OWNER,
      ...settings,
    });
    this.inventory = report.inventory;
    return report;
  }

  /** The names of what was applied, but for namespaces. */
  applied(): readonly string[] {
    const calls = this.api.callsOf('apply').filter((call) => !call.startsWith('apply Namespace'));
    return calls.map((call) => call.replace(/^apply \w+ (istio-system\/)?/, ''));
  }

  /** Lets another object take a name, and so with another uid. */
  replace({ apiVersion, kind, name, ...place }: ObjectRef): void {
    this.api.erase({ apiVersion, kind, name, ...place });
    const metadata = { name, ...place };
    this.api.update('somebody', { apiVersion, kind, made: 'by somebody else', metadata });
  }
}

/** What became of each component. */
export function resultsOf(report: ApplyReport): Readonly<Record<string, string>> {
  return Object.fromEntries([...report.components].map(([name, { kind }]) => [name, kind]));
}

/** What was done to each object, by name. */
export function actionsOf(report: ApplyReport): Readonly<Record<string, string>> {
  return Object.fromEntries(report.changes.map(({ ref, action }) => [ref.name, action]));
}

export function namesOf(entries: readonly InventoryEntry[]): readonly string[] {
  return entries.map(({ name }) => name);
}

/** The status of a Deployment whose only pod does not work. */
export function unavailable(): JsonObject {
  return { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 0 };
}
