/** What the annotations `dry-run` and `require-approval` make of a plan: whether it may be applied, or is only told. */
import type { Preview } from '../apply/preview-plan.ts';
import { contentHash, planHash } from '../apply/plan-hash.ts';
import type { Outcome, Release } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';
import type { ChangeAction } from '../model/report.ts';
import type { PendingPlan } from '../model/status.ts';
import { keepInPreview } from './keep.ts';
import { storeReport } from './plan-report.ts';
import { approvedPlanOf, isDryRun, requiresApproval, storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';
import { hardening, ownerOf } from './visit.ts';

export type Review =
  /**
   * `approvedContent` is set where approval is required; `isNew` means that it must be in the status before the first
   * write, because the plan is another one after it.
   */
  | { readonly kind: 'granted'; readonly approvedContent?: string; readonly isNew: boolean }
  | { readonly kind: 'pending'; readonly outcome: Outcome };

/**
 * An approval is of a plan, by its hash, and from then on of the content of that plan: what is lost or changed later is
 * repaired without asking, and so is an installation that was ended half-way. A plan that changes nothing needs no
 * approval. The report of a plan that is not applied is stored for people to read.
 */
export async function review(
  deps: ReconcileDeps,
  visit: Visit,
  { plan, release }: { readonly plan: Plan; readonly release: Release },
): Promise<Review> {
  const { resource } = visit;
  if (isDryRun(resource))
    return pending(deps, visit, { plan, release, preview: await preview(deps, visit, plan) });
  if (!requiresApproval(resource)) return { kind: 'granted', isNew: false };
  const approvedContent = contentHash(plan);
  if (storedStatus(resource)?.approvedContent === approvedContent)
    return { kind: 'granted', approvedContent, isNew: false };
  const previewed = await preview(deps, visit, plan);
  if (changesNothing(previewed)) return { kind: 'granted', approvedContent, isNew: false };
  if (planHash(plan, previewed) === approvedPlanOf(resource))
    return { kind: 'granted', approvedContent, isNew: true };
  return pending(deps, visit, { plan, release, preview: previewed });
}

async function preview(deps: ReconcileDeps, visit: Visit, plan: Plan): Promise<Preview> {
  const { engine, cluster, clock, knownEqual } = deps;
  return engine.preview({ cluster, clock, knownEqual, disputes: deps.disputes(visit.key) }, plan, {
    signal: visit.signal,
    owner: ownerOf(visit),
    inventory: storedStatus(visit.resource)?.inventory ?? [],
    keep: keepInPreview(deps, visit),
    ...hardening(deps),
  });
}

function changesNothing({ changes, failures }: Preview): boolean {
  return failures.length === 0 && changes.every(({ change }) => change.action === 'unchanged');
}

interface Reviewed {
  readonly plan: Plan;
  readonly release: Release;
  readonly preview: Preview;
}

async function pending(
  deps: ReconcileDeps,
  visit: Visit,
  { plan, release, preview: previewed }: Reviewed,
): Promise<Review> {
  const counts = countsOf(planHash(plan, previewed), previewed);
  const stored = await storeReport(deps, visit, { counts, preview: previewed });
  const told = { release, plan: { ...counts, ...stored } };
  if (isDryRun(visit.resource)) return { kind: 'pending', outcome: { kind: 'dryRun', ...told } };
  const approved = approvedPlanOf(visit.resource);
  const owner = ownerOf(visit);
  return {
    kind: 'pending',
    outcome: { kind: 'awaitingApproval', ...told, owner, ...(approved === undefined ? {} : { approved }) },
  };
}

function countsOf(hash: string, { changes, failures }: Preview): PendingPlan {
  const count = (action: ChangeAction): number =>
    changes.filter(({ change }) => change.action === action).length;
  return {
    hash,
    create: count('created'),
    configure: count('configured'),
    prune: count('pruned'),
    unchanged: count('unchanged'),
    refused: failures.length,
  };
}
