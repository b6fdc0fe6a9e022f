/** What all other resources ask for, found out before something is deleted that one of them may want. */
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf, uidOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import type { Settlement } from './claims.ts';
import { gateOf } from './gate.ts';
import { generationOf, isDryRun, storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';
import type { WishDeps } from './wish.ts';
import { wishOf } from './wish.ts';

export type SurveyDeps = WishDeps &
  Pick<
    ReconcileDeps,
    'claims' | 'settings' | 'keys' | 'stateOf' | 'find' | 'forgetPlan' | 'labelledHolder' | 'wake'
  >;

/** Names what a resource asks for, and whether it does: another one after each edit that matters for that. */
export function settlingState(resource: K8sObject, operatorRevision: string): string {
  const { kind } = gateOf(resource, operatorRevision);
  const mode = isDryRun(resource) ? 'dry run' : kind;
  return `${uidOf(resource) ?? ''} ${generationOf(resource)} ${mode}`;
}

/** Whether applying a plan would delete something. */
export function hasSurplus({ resource }: Pick<Visit, 'resource'>, plan: Plan): boolean {
  const planned = new Set(objectsOf(plan).map((object) => identityOf(refOf(object))));
  return (storedStatus(resource)?.inventory ?? []).some((entry) => !planned.has(identityOf(entry)));
}

/**
 * Settles the claims of all resources that nobody has looked at since they were made or edited, or since the operator
 * was started. Reads no resource when there are none, however large or many they are. A
 * resource that cannot be planned keeps the claims that it has, and is planned anew only when it is its own turn.
 */
export async function surveyOthers(
  deps: SurveyDeps,
  visit: Pick<Visit, 'key' | 'signal'>,
  keys: readonly string[] = deps.keys(),
): Promise<void> {
  for (const key of keys) {
    if (key === visit.key || !isUnsettled(deps, key)) continue;
    const resource = deps.find(key);
    if (resource !== undefined) await settleOther(deps, { key, resource, signal: visit.signal });
  }
}

function isUnsettled({ claims, stateOf }: Pick<SurveyDeps, 'claims' | 'stateOf'>, key: string): boolean {
  const state = stateOf(key);
  return state !== undefined && !claims.isSettled(key, state);
}

/** Throws ClusterError when it cannot be told what a resource asks for. */
async function settleOther(
  deps: SurveyDeps,
  { key, resource, signal }: Pick<Visit, 'key' | 'resource' | 'signal'>,
): Promise<void> {
  const { revision } = deps.settings;
  const { kind } = gateOf(resource, revision);
  if (kind === 'paused' || kind === 'ignored') suspend(deps, { key, resource });
  const isAsking = kind === 'install' && !isDryRun(resource);
  const wish = isAsking ? await wishOf(deps, { key, resource, signal }) : undefined;
  // The plans of all resources at once would take much memory.
  if (isAsking) deps.forgetPlan(key);
  if (wish?.kind === 'planned') settle(deps, { key, resource }, wish.plan);
  else deps.claims.noteSettled(key, settlingState(resource, revision));
}

/** What is paused, or served by another operator, keeps what it has; who waits for it is told so. */
export function suspend(
  deps: Pick<SurveyDeps, 'claims' | 'wake'>,
  { key, resource }: Pick<Visit, 'key' | 'resource'>,
): void {
  for (const waiting of deps.claims.suspend(key, storedStatus(resource)?.inventory ?? [])) deps.wake(waiting);
}

/**
 * Settles the claims of a resource. Whoever is said to be in its way, by the label of an object, is asked first whether
 * that is still so.
 */
export async function settleFor(
  deps: SurveyDeps,
  visit: Pick<Visit, 'key' | 'resource' | 'signal'>,
  plan: Plan,
): Promise<Settlement> {
  const settled = settle(deps, visit, plan);
  const inTheWay = settled.kind === 'refused' ? settled.contested : settled.heldTags;
  const holders = [...new Set(inTheWay.map(({ holder }) => holder))];
  if (!holders.some((holder) => isUnsettled(deps, holder))) return settled;
  await surveyOthers(deps, visit, holders);
  return settle(deps, visit, plan);
}

function settle(
  deps: Pick<SurveyDeps, 'claims' | 'settings' | 'labelledHolder' | 'wake'>,
  { key, resource }: Pick<Visit, 'key' | 'resource'>,
  plan: Plan,
): Settlement {
  const settled = deps.claims.settle(key, plan, (ref) => deps.labelledHolder(key, ref));
  deps.claims.noteSettled(key, settlingState(resource, deps.settings.revision));
  for (const freed of settled.freed) deps.wake(freed);
  return settled;
}
