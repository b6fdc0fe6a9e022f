/** What must hold of a cluster while the operator works in it, and once it is done. */
import { appliedFields, FIELD_MANAGER } from '../../../apply/managed-fields.ts';
import { readInventory } from '../../../apply/inventory.ts';
import { isProtected } from '../../../apply/protected.ts';
import type { JsonValue } from '../../../model/json.ts';
import { at, isJsonArray, isJsonObject, jsonEqual, numberAt } from '../../../model/json.ts';
import type { K8sObject } from '../../../model/object.ts';
import { displayRef, identityOf, refOf, uidOf } from '../../../model/object.ts';
import { deletionTimeMs, finalizersOf, generationOf, isReady, storedStatus } from '../../resource.ts';
import { brokenInvariants, brokenTransitions } from '../../status-invariants.ts';
import type { ModelApi, Snapshot, Stored } from './model-api.ts';
import { stationOf } from './second-actor.ts';
import type { StationName } from './stations.ts';
import { BYSTANDERS, RESOURCE, TARGETS, WANTED } from './stations.ts';

const BYSTANDER_IDENTITIES = BYSTANDERS.map((object) => identityOf(refOf(object)));

export type Findings = readonly string[];

/** Objects that the operator made and that nothing keeps from being deleted, by identity. */
export function ours(api: ModelApi): ReadonlyMap<string, Stored> {
  return new Map(
    [...api.entries()].filter(([, { object, content }]) => content.isOurs && !isProtectedObject(object)),
  );
}

/** Nothing of ours is forgotten: it stands in the inventory that is stored. */
export function orphans(api: ModelApi, explained: ReadonlySet<string>): Findings {
  const recorded = inventoryOf(api.read(RESOURCE));
  const findings: string[] = [];
  for (const [identity, { object, content }] of api.entries()) {
    if (!content.isOurs || recorded.has(identity) || explained.has(identity) || isProtectedObject(object))
      continue;
    findings.push(`${displayRef(refOf(object))} is ours and in no inventory`);
  }
  return findings;
}

const inventories = new WeakMap<object, ReadonlySet<string>>();
const NOTHING: ReadonlySet<string> = new Set();

function inventoryOf(resource: K8sObject | undefined): ReadonlySet<string> {
  const stored = at(resource, 'status', 'inventory');
  if (!isJsonArray(stored)) return NOTHING;
  const known = inventories.get(stored);
  if (known !== undefined) return known;
  const identities = new Set(readInventory(stored).map(identityOf));
  inventories.set(stored, identities);
  return identities;
}

/** What was there before stays, as it was. */
export function harmed(api: ModelApi, start: Snapshot): Findings {
  return BYSTANDER_IDENTITIES.filter((identity) => {
    const [before, now] = [start.stored.get(identity), api.find(identity)];
    return now?.content !== before?.content || uidOf(now?.object ?? EMPTY) !== uidOf(before?.object ?? EMPTY);
  }).map((identity) => `${identity} was changed or deleted`);
}

const EMPTY: K8sObject = { apiVersion: '', kind: '', metadata: { name: '' } };

/** Whether an object that was deleted is wanted by a specification as it was, without having to be made anew. */
export function isWanted(station: StationName | undefined, deleted: K8sObject): boolean {
  const wanted = station === undefined ? undefined : WANTED[station].get(identityOf(refOf(deleted)));
  return wanted !== undefined && jsonEqual(wanted['roleRef'], deleted['roleRef']);
}

/** Whether nobody applied the object as the operator does. */
export function isOfOthers(object: K8sObject): boolean {
  return appliedFields(object, FIELD_MANAGER) === undefined;
}

/** Whether something that is not wanted any more is deleted while what is wanted in its place is not all there. */
export function isPrunedTooEarly(api: ModelApi, deleted: K8sObject): boolean {
  const station = stationOf(api);
  if (station === undefined || WANTED[station].has(identityOf(refOf(deleted)))) return false;
  return [...WANTED[station]].some(([identity, wanted]) => !isAsPlanned(wanted, api.find(identity)));
}

/** A status that was just stored is sound, and follows from the one before. */
export function unsoundStatus(before: K8sObject | undefined, now: K8sObject): Findings {
  const [old, status] = [storedStatus(before), storedStatus(now)];
  if (status === undefined) return [];
  const isSame = before !== undefined && uidOf(before) === uidOf(now);
  const transitions = isSame && old !== undefined ? brokenTransitions(old, status) : [];
  return [...brokenInvariants(status, generationOf(now)), ...transitions];
}

/** A resource that says it is ready for what is asked for now has all of it. */
export function untruth(api: ModelApi): Findings {
  const resource = api.read(RESOURCE);
  const station = stationOf(api);
  if (resource === undefined || station === undefined) return [];
  const status = storedStatus(resource);
  if (!isReady(status) || status?.observedGeneration !== generationOf(resource)) return [];
  const missing = [...WANTED[station]].filter(
    ([identity, wanted]) => !isAsPlanned(wanted, api.find(identity)),
  );
  return missing.map(([identity]) => `ready was claimed while ${identity} is not as planned`);
}

export function isAsPlanned(wanted: K8sObject, live: Stored | undefined): boolean {
  if (live === undefined || deletionTimeMs(live.object) !== undefined) return false;
  if (!holds(wanted, live.object)) return false;
  return wanted.kind !== 'Deployment' || isRolledOut(live.object);
}

function isRolledOut(live: K8sObject): boolean {
  return numberAt(live, 'status', 'observedGeneration') === generationOf(live);
}

/** Fields that others rightly set: an autoscaler, and istiod in its own webhook. */
const OF_OTHERS: ReadonlySet<string> = new Set(['replicas', 'caBundle', 'failurePolicy']);

function holds(wanted: JsonValue, live: JsonValue | undefined): boolean {
  if (isJsonObject(wanted))
    return Object.entries(wanted).every(
      ([name, value]) => OF_OTHERS.has(name) || holds(value, at(live, name)),
    );
  if (isJsonArray(wanted))
    return isJsonArray(live) && wanted.every((item, index) => holds(item, live[index]));
  return wanted === live;
}

/** Where a way ends: what is there, with who owns which field, and what the status says about it. */
export interface End {
  /** Numbers of contents by identity; protected objects are only in it when they are wanted. */
  readonly contents: ReadonlyMap<string, number>;
  readonly status: string;
}

export function endOf(api: ModelApi): End {
  const station = stationOf(api);
  const wanted = station === undefined ? undefined : WANTED[station];
  const counted = [...api.entries()].filter(
    ([identity, { object, content }]) =>
      wanted?.has(identity) === true || (content.isOurs && !isProtectedObject(object)),
  );
  return {
    contents: new Map(counted.map(([identity, { content }]) => [identity, content.id])),
    status: statusText(api.read(RESOURCE)),
  };
}

/**
 * Names a state of the cluster: equal for states that differ only in times and in which uids and versions the server
 * drew. `beside` is what else decides how it goes on.
 */
export function stateOf(api: ModelApi, beside: readonly string[]): string {
  const objects = [...api.entries()].map(([identity, { object, content }]) =>
    [identity, content.id, metadataText(object), conditionText(object)].join(' '),
  );
  const resource = api.read(RESOURCE);
  const outdated = outdatedEntries(api);
  return [...objects.toSorted(), statusText(resource), ...outdated, ...beside].join('\n');
}

function metadataText(object: K8sObject): string {
  return `${deletionTimeMs(object) === undefined ? '' : 'going'} ${finalizersOf(object).join()}`;
}

function conditionText(object: K8sObject): string {
  if (object.kind !== 'Deployment') return '';
  const replicas = [at(object, 'status', 'replicas'), at(object, 'status', 'availableReplicas')];
  return `${isRolledOut(object)} ${replicas.join()}`;
}

/** What of a status depends neither on times nor on how it came to it. */
function statusText(resource: K8sObject | undefined): string {
  const status = storedStatus(resource);
  if (status === undefined) return 'none';
  const { conditions, inventory, observedGeneration, ...rest } = status;
  return JSON.stringify({
    ...rest,
    isCurrent: resource !== undefined && observedGeneration === generationOf(resource),
    conditions: conditions.map(({ type, status: is, reason, message }) => [type, is, reason, message]),
    inventory: inventory.map(identityOf),
  });
}

/** Where a way should have ended but did not; objects that an act of somebody else explains may be left over. */
export function differences(expected: End, actual: End, explained: ReadonlySet<string>): Findings {
  const identities = new Set([...expected.contents.keys(), ...actual.contents.keys()]);
  const isLeftOver = (identity: string): boolean =>
    explained.has(identity) && actual.contents.has(identity) && !expected.contents.has(identity);
  const findings = [...identities].flatMap((identity) => {
    const [wanted, found] = [expected.contents.get(identity), actual.contents.get(identity)];
    if (wanted === found || isLeftOver(identity)) return [];
    if (wanted === undefined) return [`${identity} is left over`];
    if (found === undefined) return [`${identity} is missing`];
    // What is left over goes on scaling, and an autoscaler that is not ours is none of our business.
    const isScaled = identity === identityOf(TARGETS.istiod) && isLeftOver(identityOf(TARGETS.autoscaler));
    return isScaled ? [] : [`${identity} is another one`];
  });
  if (expected.status === actual.status) return findings;
  return [...findings, `the status is ${actual.status}, not ${expected.status}`];
}

/** Entries of the stored inventory whose object is another one by now. */
export function outdatedEntries(api: ModelApi): Findings {
  const inventory = storedStatus(api.read(RESOURCE))?.inventory ?? [];
  return inventory
    .filter((entry) => {
      const live = api.read(entry);
      return live === undefined || uidOf(live) !== entry.uid;
    })
    .map((entry) => `the inventory has ${displayRef(entry)} under another uid, or it is not there`);
}

const protection = new Map<string, boolean>();

function isProtectedObject(object: K8sObject): boolean {
  const ref = refOf(object);
  const identity = identityOf(ref);
  const known = protection.get(identity);
  if (known !== undefined) return known;
  const is = isProtected(ref);
  protection.set(identity, is);
  return is;
}
