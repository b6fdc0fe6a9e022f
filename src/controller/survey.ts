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
  Pick<ReconcileDeps, 'claims' | 'settings' | 'keys' | 'find' | 'forgetPlan' | 'labelledHolder' | 'wake'>;

/** Names what a resource asks for: another one after each edit. */
function stateOf(resource: K8sObject): string {
  return `${uidOf(resource) ?? ''} ${generationOf(resource)}`;
}

/** Whether applying a plan would delete something. */
export function hasSurplus({ resource }: Pick<Visit, 'resource'>, plan: Plan): boolean {
  const planned = new Set(objectsOf(plan).map((object) => identityOf(refOf(object))));
  return (storedStatus(resource)?.inventory ?? []).some((entry) => !planned.has(identityOf(entry)));
}

/**
 * Settles the claims of all resources that nobody has looked at since they were made or edited, or since the operator
 * was started; gives whether there were any. Costs nothing when there are none. A resource that cannot be planned keeps
 * the claims that it has.
 */
export async function surveyOthers(
  deps: SurveyDeps,
  visit: Pick<Visit, 'key' | 'signal'>,
  keys: readonly string[] = deps.keys(),
): Promise<boolean> {
  const { claims, settings } = deps;
  let hasSettled = false;
  for (const key of keys) {
    const resource = key === visit.key ? undefined : deps.find(key);
    if (resource === undefined || claims.isSettled(key, stateOf(resource))) continue;
    if (gateOf(resource, settings.revision).kind !== 'install' || isDryRun(resource)) continue;
    const wish = await wishOf(deps, { key, resource, signal: visit.signal });
    // The plans of all resources at once would take much memory.
    deps.forgetPlan(key);
    if (wish.kind === 'refused') continue;
    settle(deps, { key, resource }, wish.plan);
    hasSettled = true;
  }
  return hasSettled;
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
  if (!(await surveyOthers(deps, visit, holders))) return settled;
  return settle(deps, visit, plan);
}

function settle(
  deps: Pick<SurveyDeps, 'claims' | 'labelledHolder' | 'wake'>,
  { key, resource }: Pick<Visit, 'key' | 'resource'>,
  plan: Plan,
): Settlement {
  const settled = deps.claims.settle(key, plan, (ref) => deps.labelledHolder(key, ref));
  deps.claims.noteSettled(key, stateOf(resource));
  for (const freed of settled.freed) deps.wake(freed);
  return settled;
}
