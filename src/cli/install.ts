/** `istio-operator install`: a mesh into a cluster, without the operator in it. */
import { applyPlan } from '../apply/apply-plan.ts';
import type { ApplyObserver } from '../apply/engine.port.ts';
import { neededNamespaces } from '../apply/namespaces.ts';
import { diagnose } from '../core/diagnostics.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { assertNever } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import type { ComponentName } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import type { ApplyReport, ComponentResult } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import { actualChanges, countsTable, describeChange } from './changes.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { ClusterChoice, CommandCluster, CommandEnvironment, Connection } from './environment.ts';
import { withSubjects } from './installed-input.ts';
import type { RecordContent } from './installation.ts';
import { displayOwner, storeRecord } from './installation.ts';
import type { DryRun } from './options.ts';
import type { Prospect } from './prospect.ts';
import { prospectOf, refuseContested, refuseFailures } from './prospect.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { confirm, withConnection } from './session.ts';
import { counted } from './table.ts';

export interface InstallOptions extends InstallationFlags, ClusterChoice {
  readonly dryRun: DryRun;
  readonly skipConfirmation: boolean;
  readonly readinessTimeoutMs: number;
}

/** Shows what would change, asks, applies it and waits. Repeating it changes nothing; after Ctrl-C it goes on. */
export async function install(environment: CommandEnvironment, options: InstallOptions): Promise<number> {
  if (options.dryRun === 'client') return listObjects(environment, options);
  return withConnection(environment, options, async (connection) => {
    const prospect = await prospectOf(environment, connection, options);
    await refuseContested(environment, connection, prospect);
    sayProspect(environment, connection, prospect);
    refuseFailures(prospect);
    if (options.dryRun !== 'none') return sayDryRun(environment, prospect);
    if (!options.skipConfirmation && actualChanges(prospect.preview).length > 0) {
      await confirm(environment, 'Proceed?');
    }
    const report = await applyAndRecord(environment, connection, { prospect, options });
    return sayReport(environment, prospect, report);
  });
}

/** What would be applied, without a look at what is there. */
async function listObjects(environment: CommandEnvironment, options: InstallOptions): Promise<number> {
  await withSubjects(environment, { ...options, offline: true }, async (subjects) => {
    for (const object of subjects.flatMap(({ plan }) => objectsOf(plan))) {
      environment.terminal.print(`${displayRef(refOf(object))}\n`);
    }
  });
  environment.terminal.say('No cluster was asked: this was a dry run.');
  return EXIT.ok;
}

function sayProspect({ terminal }: CommandEnvironment, { server }: Connection, prospect: Prospect): void {
  const { plan, owner, present, preview } = prospect;
  const revision = plan.revision === '' ? '' : `, revision ${plan.revision}`;
  const before = present === undefined ? '' : `, in place of ${present.version}`;
  terminal.say(
    terminal.style(
      'bold',
      `Istio ${plan.version} (profile ${plan.profile}${revision}) on ${server}${before}`,
    ),
  );
  terminal.say(`as ${displayOwner(owner)}:`);
  terminal.say(countsTable(plan, preview).trimEnd());
}

function sayDryRun({ terminal }: CommandEnvironment, { preview }: Prospect): number {
  for (const { change } of actualChanges(preview)) terminal.print(`${describeChange(change)}\n`);
  terminal.say('Nothing was changed: this was a dry run.');
  return EXIT.ok;
}

interface Work {
  readonly prospect: Prospect;
  readonly options: Pick<InstallOptions, 'readinessTimeoutMs'>;
}

/** Applies, waits, and keeps the record of the installation. */
export async function applyAndRecord(
  environment: CommandEnvironment,
  { cluster }: Connection,
  { prospect, options }: Work,
): Promise<ApplyReport> {
  const { clock, signal } = environment;
  const { plan, owner, present } = prospect;
  const missing = await missingNamespaces(cluster, prospect, signal);
  const madeNamespaces = [...new Set([...(present?.madeNamespaces ?? []), ...missing])].toSorted();
  const store = async (inventory: readonly InventoryEntry[]): Promise<void> => {
    const { profile, version, userSpec: spec } = plan;
    const revision = plan.revision === '' ? 'default' : plan.revision;
    const content: RecordContent = { profile, revision, version, spec, madeNamespaces, inventory };
    await storeRecord(cluster, owner, content, { signal });
  };
  if (missing.includes(owner.namespace)) {
    await cluster.apply(namespaceFor(prospect), { signal, force: true });
  }
  const report = await applyPlan(
    { cluster, clock, observer: progressOn(environment), recordInventory: store },
    plan,
    {
      signal,
      owner,
      inventory: present?.inventory ?? [],
      readinessTimeoutMs: options.readinessTimeoutMs,
    },
  );
  await store(report.inventory);
  return report;
}

/** The record stands in the owner's namespace and comes before everything else, so the engine can't be left to make it. */
function namespaceFor({ owner, plan }: Prospect): K8sObject {
  const { namespace: name } = owner;
  const labels = name === plan.namespace ? plan.namespaceLabels : {};
  const metadata = Object.keys(labels).length === 0 ? { name } : { name, labels };
  return { apiVersion: 'v1', kind: 'Namespace', metadata };
}

async function missingNamespaces(
  cluster: CommandCluster,
  { plan, owner }: Prospect,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const name of new Set([owner.namespace, ...neededNamespaces(plan)])) {
    const live = await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name }, { signal });
    if (live === undefined) missing.push(name);
  }
  return missing;
}

/** A line when a component is begun and one when it is done: that reads well in a log, too. */
function progressOn({ terminal, clock }: CommandEnvironment): ApplyObserver {
  const startedMs = new Map<ComponentName, number>();
  const say = (component: ComponentName, state: string): void => {
    terminal.say(`  ${component.padEnd(16)} ${state}`);
  };
  return {
    componentStarted: (component) => {
      startedMs.set(component, clock.nowMs());
      say(component, 'applying');
    },
    componentFinished: (component, result) => {
      const tookMs = clock.nowMs() - (startedMs.get(component) ?? clock.nowMs());
      const state = describeResult(result);
      const colour = result.kind === 'ready' ? 'green' : 'red';
      const time = startedMs.has(component) ? ` after ${(tookMs / 1000).toFixed(1)} s` : '';
      say(component, `${terminal.style(colour, state)}${time}`);
    },
  };
}

function describeResult(result: ComponentResult): string {
  switch (result.kind) {
    case 'ready':
      return 'ready';
    case 'notReady':
      return 'not ready';
    case 'failed':
      return 'failed';
    case 'skipped':
      return `left out: it needs ${result.waitingFor.join(', ')}`;
    default:
      return assertNever(result);
  }
}

/** Tells what an installation came to. Throws a CommandError with what is not as it should be. */
export function sayReport({ terminal }: CommandEnvironment, { plan }: Prospect, report: ApplyReport): number {
  const problems = problemsOf(report);
  if (problems.length > 0) throw new CommandError(problems);
  const written = report.changes.filter(({ action }) => action !== 'unchanged').length;
  terminal.say(
    terminal.style(
      'green',
      `Istio ${plan.version} is installed and ready; ${counted(written, 'object')} changed.`,
    ),
  );
  return EXIT.ok;
}

const AGAIN = 'Mend the cause and run the command again: it goes on where it stopped.';

function problemsOf(report: ApplyReport): readonly Diagnostic[] {
  const ofComponents = [...report.components].flatMap(([component, result]) =>
    problemsOfResult(component, result),
  );
  const ofPruning = report.pruneFailures.map(({ message }) =>
    diagnose('notGone', { path: [], cause: withoutStop(message), remedy: AGAIN }),
  );
  return [...ofComponents, ...ofPruning];
}

function problemsOfResult(component: ComponentName, result: ComponentResult): readonly Diagnostic[] {
  if (result.kind === 'failed') {
    const cause = `${component}: ${withoutStop(result.message)}`;
    return [diagnose('notAccepted', { path: [], cause, remedy: AGAIN })];
  }
  if (result.kind !== 'notReady') return [];
  return result.waitingFor.map(({ ref, reason }) => {
    const cause = `${component}: ${displayRef(ref)}: ${reason}`;
    const namespace = ref.namespace === undefined ? '' : ` -n ${ref.namespace}`;
    const remedy = `Look at kubectl describe ${ref.kind.toLowerCase()} ${ref.name}${namespace}; --readiness-timeout gives it longer.`;
    return diagnose('notReadyInTime', { path: [], cause, remedy });
  });
}

function withoutStop(message: string): string {
  return message.replace(/\.$/u, '');
}
