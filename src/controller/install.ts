/** Installs what a resource asks for, as far as it can be done now. */
import { besideInjectors } from '../core/objects/beside-injectors.ts';
import { releaseOfLine } from '../core/releases.ts';
import { judgeUpgrade } from '../core/upgrade.ts';
import { versionOf } from '../core/version.ts';
import type { K8sObject } from '../model/object.ts';
import { annotationsOf } from '../model/object.ts';
import type { Outcome, Release } from '../model/outcome.ts';
import { releaseOf } from '../model/outcome.ts';
import type { Plan, PlanResult } from '../model/plan.ts';
import type { ApplyReport } from '../model/report.ts';
import { finalizersWithOurs, hasFinalizer } from './finalizer.ts';
import { injectionFaults } from './injection.ts';
import { resultsOf } from './messages.ts';
import { Progress } from './progress.ts';
import { conditionOf, generationOf, isDataPlaneAsked, isReady, storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';
import { keepFor, ownerOf, storeFinalizers } from './visit.ts';

/**
 * How long one run stays with a component that is being rolled out. Definitions are established and small things
 * become ready within that time, which saves runs; everything slower wakes us up when it changes.
 */
const LINGER_MS = 1_000;

/**
 * Plans, and applies what is not in other hands. The finalizer is there before the first write; a resource that
 * nothing is installed for does not get one.
 */
export async function install(deps: ReconcileDeps, visit: Visit): Promise<Outcome> {
  const installed = storedStatus(visit.resource)?.version ?? deps.labelledVersion(visit.key);
  const planned = await deps.plan(visit.resource, await deps.facts(visit.signal), installed);
  if (planned.kind === 'invalid') return refusalOf(planned);
  const release = releaseOf(planned.plan);
  const upgrade = judgeUpgrade({
    installed: comparableVersion(deps, visit),
    wanted: release.version,
    annotations: annotationsOf(visit.resource),
  });
  if (upgrade.kind === 'refused')
    return { kind: 'upgradeRefused', release, diagnostics: [upgrade.diagnostic] };
  const { key } = visit;
  const settled = deps.claims.settle(key, planned.plan, (ref) => deps.labelledHolder(key, ref));
  for (const freed of settled.freed) deps.wake(freed);
  if (settled.kind === 'refused') return { kind: 'contested', release, contested: settled.contested };
  if (!hasFinalizer(visit.resource)) await storeFinalizers(deps, visit, finalizersWithOurs(visit.resource));
  const plan = besideInjectors(settled.plan, deps.injectors());
  const report = await applyShowingProgress(deps, visit, plan);
  const faults = injectionFaults(settled.plan, deps.injectors(), settled.heldTags);
  const dataPlane = isDataPlaneAsked(visit.resource) ? await deps.dataPlane(visit.signal) : 'unasked';
  return judge(deps, visit, { release: { ...release, injectionFaults: faults, dataPlane }, report });
}

/**
 * The version that the wanted one is held against. What the labels of objects say counts where we have installed nothing
 * yet: the status was lost, as after a restore from a backup. An installation of ours that was never ready can become
 * any version; so can one of a line that only older operators knew, because somebody has to take it over.
 */
function comparableVersion({ labelledVersion }: ReconcileDeps, { key, resource }: Visit): string | undefined {
  const status = storedStatus(resource);
  if (status?.version !== undefined || (status?.inventory ?? []).length > 0) return status?.version;
  const labelled = labelledVersion(key);
  const line = versionOf(labelled ?? '')?.line;
  return line !== undefined && releaseOfLine(line) !== undefined ? labelled : undefined;
}

function refusalOf({ diagnostics, unsupportedLine }: Extract<PlanResult, { kind: 'invalid' }>): Outcome {
  if (unsupportedLine === undefined) return { kind: 'invalid', diagnostics };
  return { kind: 'unsupported', line: unsupportedLine, diagnostics };
}

async function applyShowingProgress(deps: ReconcileDeps, visit: Visit, plan: Plan): Promise<ApplyReport> {
  const { engine, cluster, clock, knownEqual } = deps;
  const { writer, resource, signal } = visit;
  const previous = storedStatus(resource);
  const progress = new Progress(
    { show: (phase) => writer.offer(phase), changed: (change) => visit.changed(change) },
    plan,
    { generation: generationOf(resource), previous },
  );
  progress.announce();
  return engine.apply(
    {
      cluster,
      clock,
      knownEqual,
      disputes: deps.disputes(visit.key),
      observer: progress,
      recordInventory: async (entries) => writer.write(progress.withInventory(entries)),
    },
    plan,
    {
      signal,
      owner: ownerOf(visit),
      inventory: previous?.inventory ?? [],
      readinessTimeoutMs: lingerMs(resource),
      keep: keepFor(deps, visit),
      gatewayPatienceMs: deps.settings.readinessTimeoutMs / 2,
      isAtRest: isReady(previous) && previous?.observedGeneration === generationOf(resource),
    },
  );
}

/** Whatever was settled, well or not, is only looked at: its state is known, and changes of it wake us up. */
function lingerMs(resource: K8sObject): number {
  const previous = storedStatus(resource);
  const isSettled =
    previous?.observedGeneration === generationOf(resource) && ['HEALTHY', 'ERROR'].includes(previous.status);
  return isSettled ? 0 : LINGER_MS;
}

/** The worst that happened decides. */
function judge(
  deps: ReconcileDeps,
  visit: Visit,
  result: { readonly release: Release; readonly report: ApplyReport },
): Outcome {
  const { report } = result;
  if (resultsOf(report, 'failed').length > 0) return { kind: 'failed', ...result };
  if (report.disputes !== undefined) return { kind: 'disputed', ...result, disputes: report.disputes };
  if (resultsOf(report, 'notReady').length + resultsOf(report, 'skipped').length > 0) {
    const timeoutMs = deps.settings.readinessTimeoutMs;
    const remainingMs = timeoutMs - waitedMs(deps, visit, report);
    return remainingMs > 0
      ? { kind: 'progressing', ...result, remainingMs }
      : { kind: 'notReady', ...result, timeoutMs };
  }
  deps.patience.forget(visit.key);
  return { kind: report.pruneFailures.length > 0 ? 'pruneFailed' : 'ready', ...result };
}

function waitedMs({ patience, clock }: ReconcileDeps, { key, resource }: Visit, report: ApplyReport): number {
  const generation = generationOf(resource);
  const components = resultsOf(report, 'notReady').map(([component]) => component);
  const subject = `${generation}: ${components.join()}`;
  const previous = storedStatus(resource);
  const isOver =
    previous?.observedGeneration === generation &&
    !isReady(previous) &&
    conditionOf(previous, 'Ready')?.reason === 'NotReady';
  return patience.waitedMs(key, subject, { nowMs: clock.nowMs(), isOver });
}
