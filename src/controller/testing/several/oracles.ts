/** What must hold of several resources in one cluster, whenever the operator has nothing more to do. */
import { isProtected } from '../../../apply/protected.ts';
import { jsonEqual } from '../../../model/json.ts';
import type { K8sObject } from '../../../model/object.ts';
import { displayRef, identityOf, refOf, uidOf } from '../../../model/object.ts';
import { ownerKeyOf } from '../../drift.ts';
import { conditionOf, deletionTimeMs, isPaused, isReady, storedStatus } from '../../resource.ts';
import type { ModelApi, Snapshot } from '../schedules/model-api.ts';
import { isAsPlanned } from '../schedules/oracles.ts';
import type { Wanted } from './specs.ts';
import { BYSTANDERS, KEYS, ownerKey, refOfResource, wantedBy } from './specs.ts';

export type Findings = readonly string[];

/** The resources that are not being deleted. */
export function livingIn(api: ModelApi): readonly K8sObject[] {
  return KEYS.flatMap((key) => api.read(refOfResource(key)) ?? []).filter(
    (resource) => deletionTimeMs(resource) === undefined,
  );
}

/**
 * Who has a use for an object that was just deleted, as it was: it is at work, asks for it, and is either in nobody's
 * hands or needs the object, which all may use, for what it has installed.
 */
export function isWantedByAnother(api: ModelApi, deleted: K8sObject): string | undefined {
  const identity = identityOf(refOf(deleted));
  const living = livingIn(api).map(judged);
  const wanting = living.find((one) => {
    const wanted = one.isAtWork ? one.wanted.get(identity) : undefined;
    if (wanted === undefined || !jsonEqual(wanted.object['roleRef'], deleted['roleRef'])) return false;
    if (blockersOf(api, one, living).length === 0 && !isRivalled(one, identity, living)) return true;
    return isNeeded(one, identity);
  });
  return wanting?.key;
}

/** Whether somebody else may have been faster with another object that a resource needs. */
function isRivalled({ key, wanted }: Judged, identity: string, living: readonly Judged[]): boolean {
  const needed = [...wanted].filter(([each, { isForAll }]) => each !== identity && !isForAll);
  return living.some(
    (other) =>
      other.key !== key &&
      other.isAtWork &&
      !other.wanted.has(identity) &&
      needed.some(([each]) => other.wanted.has(each)),
  );
}

/** Everything of ours that can be deleted, with its identity. */
export function installedIn(api: ModelApi): readonly (readonly [string, K8sObject])[] {
  return [...api.entries()]
    .filter(([, { content, object }]) => content.isOurs && !isProtected(refOf(object)))
    .map(([identity, { object }]) => [identity, object] as const);
}

interface Judged {
  readonly resource: K8sObject;
  readonly key: string;
  readonly wanted: ReadonlyMap<string, Wanted>;
  readonly isAtWork: boolean;
  readonly reason: string;
  readonly message: string;
}

function judged(resource: K8sObject): Judged {
  const status = storedStatus(resource);
  const ready = conditionOf(status, 'Ready');
  return {
    resource,
    key: ownerKey(resource),
    wanted: wantedBy(resource),
    isAtWork: !isPaused(resource),
    reason: ready?.reason ?? 'none',
    message: ready?.message ?? '',
  };
}

/** Everything that must hold at rest. */
export function faultsAtRest(api: ModelApi, leftBehind: ReadonlySet<string>, start: Snapshot): Findings {
  const living = livingIn(api).map(judged);
  const going = KEYS.filter((key) => api.read(refOfResource(key)) !== undefined).length - living.length;
  return [
    ...(going > 0 ? ['a resource is still being deleted'] : []),
    ...living.filter(({ isAtWork }) => isAtWork).flatMap((one) => faultsOf(api, one, living)),
    ...leftovers(api, living, leftBehind),
    ...wrongInventories(api, living, leftBehind),
    ...harmed(api, start),
  ];
}

function faultsOf(api: ModelApi, one: Judged, living: readonly Judged[]): Findings {
  const blockers = blockersOf(api, one, living);
  const [first] = blockers;
  if (first === undefined) return readyFaults(api, one, living);
  if (one.reason !== 'Contested')
    return [`${one.key} is ${one.reason} although ${first.identity} is ${first.holder.key}'s`];
  const isNamed = blockers.some(({ holder }) => one.message.includes(`IstioOperator ${holder.key}`));
  return isNamed ? [] : [`${one.key} is not told of ${first.holder.key}: ${one.message}`];
}

interface Blocker {
  readonly identity: string;
  readonly holder: Judged;
}

/** What a resource asks for and only one can have, and another one has. */
function blockersOf(api: ModelApi, one: Judged, living: readonly Judged[]): readonly Blocker[] {
  return [...one.wanted].flatMap(([identity, { isForAll }]) => {
    const holder = isForAll ? undefined : holderOf(api, identity, living);
    return holder === undefined || holder.key === one.key ? [] : [{ identity, holder }];
  });
}

/** The living resource that an object says it belongs to, while it asks for it or is not looked at. */
function holderOf(api: ModelApi, identity: string, living: readonly Judged[]): Judged | undefined {
  const live = api.find(identity)?.object;
  const owner = live === undefined ? undefined : ownerKeyOf(live);
  return living.find(({ key, wanted, isAtWork }) => key === owner && (!isAtWork || wanted.has(identity)));
}

/** With nobody in its way, a resource is ready and has all that it asks for. */
function readyFaults(api: ModelApi, one: Judged, living: readonly Judged[]): Findings {
  const { key, resource, wanted, reason, message } = one;
  if (!isReady(storedStatus(resource))) return [`${key} is ${reason} with nobody in its way: ${message}`];
  return [...wanted].flatMap(([identity, { isForAll }]) => {
    const holder = holderOf(api, identity, living);
    if (holder === undefined) return [`${identity} is nobody's although ${key} wants it`];
    if (holder !== one && !isForAll) return [`${identity} is ${holder.key}'s although ${key} is ready`];
    const content =
      holder.isAtWork && holder.reason !== 'Contested' ? holder.wanted.get(identity) : undefined;
    if (content === undefined || isAsPlanned(content.object, api.find(identity))) return [];
    return [`${identity} is not as ${holder.key} wants it`];
  });
}

/** Of what is there, somebody must want it, have it from before while it cannot do its work, or have left it. */
function leftovers(api: ModelApi, living: readonly Judged[], leftBehind: ReadonlySet<string>): Findings {
  return installedIn(api)
    .filter(([identity]) => !leftBehind.has(identity) && !living.some((one) => mayKeep(one, identity)))
    .map(([identity, object]) => `${identity} of ${ownerKeyOf(object)} is left over`);
}

function mayKeep({ wanted, resource, isAtWork, reason }: Judged, identity: string): boolean {
  if (isAtWork ? wanted.has(identity) : isNeeded({ wanted, resource }, identity)) return true;
  const isIdle = !isAtWork || reason === 'Contested';
  return isIdle && inventoryOf(resource).has(identity);
}

/** Whether an object is there for all, and a resource has something installed that may need it. */
function isNeeded({ wanted, resource }: Pick<Judged, 'wanted' | 'resource'>, identity: string): boolean {
  return wanted.get(identity)?.isShared === true && inventoryOf(resource).size > 0;
}

/** What was kept for a resource that is paused, which does not take it over: it may stay. */
export function keptForPaused(api: ModelApi): readonly string[] {
  const living = livingIn(api).map(judged);
  return installedIn(api)
    .filter(([identity]) => living.some((one) => !one.isAtWork && isNeeded(one, identity)))
    .filter(([identity]) => !living.some(({ resource }) => inventoryOf(resource).has(identity)))
    .map(([identity]) => identity);
}

function inventoryOf(resource: K8sObject): ReadonlySet<string> {
  return new Set((storedStatus(resource)?.inventory ?? []).map(identityOf));
}

/** Whoever is done has in its inventory what says so of itself, and nothing else. */
function wrongInventories(
  api: ModelApi,
  living: readonly Judged[],
  leftBehind: ReadonlySet<string>,
): Findings {
  return living
    .filter(({ isAtWork, reason }) => isAtWork && reason !== 'Contested')
    .flatMap(({ key, resource }) => {
      const kept = inventoryOf(resource);
      const labelled = installedIn(api).filter(([, object]) => ownerKeyOf(object) === key);
      const owned = new Set(labelled.map(([identity]) => identity));
      const foreign = [...kept].filter((identity) => !owned.has(identity));
      const unknown = [...owned].filter((identity) => !kept.has(identity) && !leftBehind.has(identity));
      return [
        ...foreign.map((identity) => `the inventory of ${key} has ${identity}, which is not its own`),
        ...unknown.map((identity) => `the inventory of ${key} lacks ${identity}`),
      ];
    });
}

function harmed(api: ModelApi, start: Snapshot): Findings {
  return BYSTANDERS.filter((object) => {
    const identity = identityOf(refOf(object));
    const [before, now] = [start.stored.get(identity), api.find(identity)];
    return (
      before === undefined || now?.content !== before.content || uidOf(now.object) !== uidOf(before.object)
    );
  }).map((object) => `${displayRef(refOf(object))} was changed or deleted`);
}

/** How many resources are told that others have what they ask for. */
export function refusedIn(api: ModelApi): number {
  return livingIn(api).filter((resource) => judged(resource).reason === 'Contested').length;
}
