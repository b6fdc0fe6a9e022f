/** What a resource asks for, if it may. */
import { releaseOfLine } from '../core/releases.ts';
import { judgeUpgrade } from '../core/upgrade.ts';
import { versionOf } from '../core/version.ts';
import type { K8sObject } from '../model/object.ts';
import { annotationsOf } from '../model/object.ts';
import type { Outcome, Release } from '../model/outcome.ts';
import { releaseOf } from '../model/outcome.ts';
import type { Plan, PlanResult } from '../model/plan.ts';
import { storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';

export type WishDeps = Pick<ReconcileDeps, 'plan' | 'facts' | 'labelledVersion'>;

type Wishing = Pick<Visit, 'key' | 'resource' | 'signal'>;

export type Wish =
  | { readonly kind: 'planned'; readonly plan: Plan; readonly release: Release }
  | { readonly kind: 'refused'; readonly outcome: Outcome };

/** Plans a resource, whatever others ask for; writes nothing. */
export async function wishOf(deps: WishDeps, visit: Wishing): Promise<Wish> {
  const { key, resource, signal } = visit;
  const installed = storedStatus(resource)?.version ?? deps.labelledVersion(key);
  const planned = await deps.plan(resource, await deps.facts(signal), installed);
  if (planned.kind === 'invalid') return { kind: 'refused', outcome: refusalOf(planned) };
  const release = keepingApproval(releaseOf(planned.plan), resource);
  const upgrade = judgeUpgrade({
    installed: comparableVersion(deps, visit),
    wanted: release.version,
    annotations: annotationsOf(resource),
  });
  if (upgrade.kind !== 'refused') return { kind: 'planned', plan: planned.plan, release };
  const outcome: Outcome = { kind: 'upgradeRefused', release, diagnostics: [upgrade.diagnostic] };
  return { kind: 'refused', outcome };
}

/** What was approved stays so until something else is applied. */
function keepingApproval(release: Release, resource: K8sObject): Release {
  const approvedContent = storedStatus(resource)?.approvedContent;
  return approvedContent === undefined ? release : { ...release, approvedContent };
}

/**
 * The version that the wanted one is held against. What the labels of objects say counts where we have installed nothing
 * yet: the status was lost, as after a restore from a backup. An installation of ours that was never ready can become
 * any version; so can one of a line that only older operators knew, because somebody has to take it over.
 */
function comparableVersion({ labelledVersion }: WishDeps, { key, resource }: Wishing): string | undefined {
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
