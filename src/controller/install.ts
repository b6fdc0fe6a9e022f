/** Installs what a resource asks for, as far as it can be done now. */
import { besideInjectors } from '../core/objects/beside-injectors.ts';
import type { K8sObject } from '../model/object.ts';
import type { Outcome, Release } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';
import type { ApplyReport } from '../model/report.ts';
import type { Settlement } from './claims.ts';
import { finalizersWithOurs, hasFinalizer } from './finalizer.ts';
import { injectionFaults } from './injection.ts';
import { resultsOf } from './messages.ts';
import { withdrawReport } from './plan-report.ts';
import { Progress } from './progress.ts';
import { conditionOf, generationOf, isDataPlaneAsked, isDryRun, isReady, storedStatus } from './resource.ts';
import { review } from './review.ts';
import { hasSurplus, settleFor, surveyOthers } from './survey.ts';
import { takeOverShared } from './take-over.ts';
import type { ReconcileDeps, Visit } from './visit.ts';
import { keepFor } from './keep.ts';
import { hardening, ownerOf, storeFinalizers } from './visit.ts';
import { wishOf } from './wish.ts';

/**
 * How long one run stays with a component that is being rolled out. Definitions are established and small things
 * become ready within that time, which saves runs; everything slower wakes us up when it changes.
 */
const LINGER_MS = 1_000;

/**
 * Plans, and applies what is not in other hands and may be applied. The finalizer is there before the first write; a
 * resource that nothing is installed for does not get one.
 */
export async function install(deps: ReconcileDeps, visit: Visit): Promise<Outcome> {
  const intent = await intentOf(deps, visit);
  // A report of a plan that nobody can ask for any more would mislead.
  if (intent.kind !== 'pending') await withdrawReport(deps, visit);
  return intent.kind === 'apply' ? carryOut(deps, visit, intent) : intent.outcome;
}

type SettledPlan = Extract<Settlement, { kind: 'granted' }>;

type Intent =
  | { readonly kind: 'refused' | 'pending'; readonly outcome: Outcome }
  | {
      readonly kind: 'apply';
      readonly plan: Plan;
      readonly settled: SettledPlan;
      readonly release: Release;
      /** The approval must be in the status before the first write. */
      readonly isNewlyApproved: boolean;
    };

async function intentOf(deps: ReconcileDeps, visit: Visit): Promise<Intent> {
  const wish = await wishOf(deps, visit);
  if (wish.kind === 'refused') return wish;
  const { plan, release } = wish;
  const settled = await settleFor(deps, visit, plan);
  // What is only looked at must keep nobody from it; what is installed already says itself whose it is.
  if (isDryRun(visit.resource)) deps.claims.forget(visit.key);
  if (settled.kind === 'refused')
    return { kind: 'refused', outcome: await takeOverShared(deps, visit, { settled, release }) };
  return reviewed(deps, visit, { settled, release });
}

async function reviewed(
  deps: ReconcileDeps,
  visit: Visit,
  { settled, release }: { readonly settled: SettledPlan; readonly release: Release },
): Promise<Intent> {
  const plan = besideInjectors(settled.plan, deps.injectors());
  if (hasSurplus(visit, plan)) await surveyOthers(deps, visit);
  const verdict = await review(deps, visit, { plan, release });
  if (verdict.kind === 'pending') return verdict;
  const { approvedContent: _before, ...unapproved } = release;
  const { approvedContent, isNew: isNewlyApproved } = verdict;
  const granted = approvedContent === undefined ? unapproved : { ...unapproved, approvedContent };
  return { kind: 'apply', plan, settled, release: granted, isNewlyApproved };
}

async function carryOut(
  deps: ReconcileDeps,
  visit: Visit,
  intent: Extract<Intent, { kind: 'apply' }>,
): Promise<Outcome> {
  if (!hasFinalizer(visit.resource)) await storeFinalizers(deps, visit, finalizersWithOurs(visit.resource));
  const report = await applyShowingProgress(deps, visit, intent);
  const { plan, heldTags } = intent.settled;
  const release = {
    ...intent.release,
    injectionFaults: injectionFaults(plan, deps.injectors(), heldTags),
    dataPlane: isDataPlaneAsked(visit.resource) ? await deps.dataPlane(visit.signal) : 'unasked',
  } as const;
  return judge(deps, visit, { release, report });
}

async function applyShowingProgress(
  deps: ReconcileDeps,
  visit: Visit,
  { plan, release, isNewlyApproved }: Extract<Intent, { kind: 'apply' }>,
): Promise<ApplyReport> {
  const { engine, cluster, clock, knownEqual } = deps;
  const { writer, resource, signal } = visit;
  const previous = storedStatus(resource);
  const progress = new Progress(
    { show: (phase) => writer.offer(phase), changed: (change) => visit.changed(change) },
    { plan, release },
    { generation: generationOf(resource), previous },
  );
  if (isNewlyApproved) await writer.write(progress.withInventory(previous?.inventory ?? []));
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
      ...hardening(deps),
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
  const failures = resultsOf(report, 'failed');
  if (failures.some(([, { administered }]) => administered === true))
    return { kind: 'awaitingAdministrator', ...result, owner: ownerOf(visit) };
  if (failures.length > 0) return { kind: 'failed', ...result };
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
