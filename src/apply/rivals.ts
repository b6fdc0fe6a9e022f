/**
 * Items of lists that others left in the way of ours. The API knows the items of a list by some of their fields, and
 * wants another field to be unique all the same: whoever edits the number of a port makes an item of their own that has
 * the name of ours, and the API server refuses ours beside it. An item that is merely added is in nobody's way.
 */
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject, jsonEqual, listAt, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { withoutFields } from './adoption.ts';
import type { Flip, Verdict } from './compare.ts';
import type { Step } from './hands-off.ts';
import {
  FIELD_MANAGER,
  findItem,
  isApplied,
  isApplyEntry,
  keyField,
  keyOfItem,
  otherOwners,
} from './managed-fields.ts';
import type { FieldPath } from './withhold.ts';
import { replacedAt, valueAt } from './withhold.ts';

interface UniqueField {
  readonly kinds: readonly string[];
  /** Where the list is. */
  readonly path: readonly Step[];
  readonly itemsBy: readonly string[];
  /** No two items have all of these in common; an item without the first has nothing in common. */
  readonly unique: readonly [string, ...string[]];
  /** Only an item that is alone may leave the first one out. */
  readonly isRequired?: true;
}

const WORKLOADS: readonly string[] = ['DaemonSet', 'Deployment', 'StatefulSet'];

const UNIQUE_FIELDS: readonly UniqueField[] = [
  {
    kinds: ['Service'],
    path: ['spec', 'ports'],
    itemsBy: ['port', 'protocol'],
    unique: ['name'],
    isRequired: true,
  },
  {
    kinds: ['Service'],
    path: ['spec', 'ports'],
    itemsBy: ['port', 'protocol'],
    unique: ['nodePort', 'protocol'],
  },
  ...['containers', 'initContainers'].flatMap((containers): readonly UniqueField[] => {
    const path = ['spec', 'template', 'spec', containers, { itemsBy: ['name'] }, 'ports'];
    const ports = { kinds: WORKLOADS, path, itemsBy: ['containerPort', 'protocol'] };
    return [
      { ...ports, unique: ['name'] },
      { ...ports, unique: ['hostPort', 'protocol', 'hostIP'] },
    ];
  }),
];

/** A live item that we don't want, beside which the API server refuses one that we want. */
export interface Rival {
  /** Both in keys of FieldsV1. */
  readonly path: FieldPath;
  readonly wanted: FieldPath;
  readonly item: JsonValue;
  /** Who owns it beside us. */
  readonly managers: readonly string[];
}

/** What keeps an object from being applied. What is ours alone is none of it, because applying takes that away. */
export function rivalsOf(desired: K8sObject, live: K8sObject): readonly Rival[] {
  const rows = UNIQUE_FIELDS.filter(({ kinds }) => kinds.includes(desired.kind));
  const found = rows.flatMap((row) =>
    listsAt({ desired, live, path: [] }, row.path).flatMap((lists) => rivalsAmong(row, lists, live)),
  );
  return found.filter(({ item }, index) => found.findIndex((other) => other.item === item) === index);
}

/**
 * The `managedFields` of a live object in which the rivals are ours alone, so that applying takes them away; undefined
 * when there are none. When nothing follows it, the next look finds what we applied and don't want.
 */
export function managedFieldsWithRivals(desired: K8sObject, live: K8sObject): JsonArray | undefined {
  const rivals = rivalsOf(desired, live);
  if (rivals.length === 0) return undefined;
  const taken = rivals.map(fieldSetOf).reduce(union);
  const entries = listAt(live, 'metadata', 'managedFields');
  const ours = entries.find((entry) => isApplyEntry(entry, FIELD_MANAGER)) ?? emptyEntry(live);
  const others = entries.filter((entry) => entry !== ours).flatMap((entry) => withoutFields(entry, taken));
  return [{ ...(ours as JsonObject), fieldsV1: union(mapAt(ours, 'fieldsV1'), taken) }, ...others];
}

/** The verdict that names those who left rivals, too: nobody owns an item that is no longer there. */
export function blamingRivals<V extends Verdict>(verdict: V, desired: K8sObject, live: K8sObject): V {
  if (verdict.kind !== 'differs') return verdict;
  const managers = rivalsOf(desired, live).flatMap((rival) => rival.managers);
  return { ...verdict, changedBy: [...new Set([...verdict.changedBy, ...managers])].toSorted() };
}

/** The same for a flip: where an item of ours is missing, those who left its rival took it away. */
export function flippedByRival(flip: Flip, rivals: readonly Rival[]): Flip {
  if (flip.isOurs || flip.managers.length > 0) return flip;
  const rival = rivals.find(({ wanted }) => wanted.every((step, index) => flip.path[index] === step));
  return rival === undefined ? flip : { ...flip, managers: rival.managers };
}

/** What an object will be once our items stand where their rivals are. */
export function withoutRivals(stored: K8sObject, rivals: readonly Rival[], desired: K8sObject): K8sObject {
  return rivals.reduce<JsonValue>((object, { path, wanted, item }) => {
    const ours = { ...(item as JsonObject), ...(valueAt(desired, wanted) as JsonObject) };
    return replacedAt(replacedAt(object, wanted) ?? {}, path, ours) ?? {};
  }, stored) as K8sObject; // no rival is the object itself
}

interface Lists<T extends JsonValue = JsonValue> {
  readonly desired: T;
  readonly live: T;
  readonly path: FieldPath;
}

function listsAt({ desired, live, path }: Lists, steps: readonly Step[]): readonly Lists<JsonArray>[] {
  const [step, ...rest] = steps;
  const bothLists = isJsonArray(desired) && isJsonArray(live);
  if (step === undefined) return bothLists ? [{ desired, live, path }] : [];
  if (typeof step === 'string')
    return descend(at(desired, step), at(live, step), [...path, `f:${step}`], rest);
  if (!bothLists) return [];
  return desired.flatMap((item) => {
    const key = keyOfItem(item, step.itemsBy);
    return descend(item, findItem(live, key), [...path, key], rest);
  });
}

function descend(
  desired: JsonValue | undefined,
  live: JsonValue | undefined,
  path: FieldPath,
  steps: readonly Step[],
): readonly Lists<JsonArray>[] {
  return desired === undefined || live === undefined ? [] : listsAt({ desired, live, path }, steps);
}

function rivalsAmong(
  row: UniqueField,
  { desired, live, path }: Lists<JsonArray>,
  subject: K8sObject,
): readonly Rival[] {
  const wanted = desired.map((item) => {
    const key = keyOfItem(item, row.itemsBy);
    return {
      key,
      values: uniqueValues(row, { item, live: findItem(live, key), path: [...path, key] }, subject),
    };
  });
  return live.flatMap((item) => {
    const key = keyOfItem(item, row.itemsBy);
    const place = [...path, key];
    if (wanted.some((other) => other.key === key) || isOursAlone(subject, place)) return [];
    const values = row.unique.map((name) => keyField(item, name));
    const inTheWay = wanted.find((other) => collide(row, values, other.values));
    if (inTheWay === undefined) return [];
    const managers = otherOwners(subject, FIELD_MANAGER, place);
    return [{ path: place, wanted: [...path, inTheWay.key], item, managers }];
  });
}

type Values = readonly (JsonValue | undefined)[];

interface WantedItem {
  readonly item: JsonValue;
  readonly live: JsonValue | undefined;
  readonly path: FieldPath;
}

/** What the item will have: what we leave out stays as others set it. */
function uniqueValues({ unique }: UniqueField, { item, live, path }: WantedItem, subject: K8sObject): Values {
  return unique.map((name) => {
    const isKept = live !== undefined && !isOursAlone(subject, [...path, `f:${name}`]);
    return keyField(item, name) ?? (isKept ? at(live, name) : undefined);
  });
}

function collide({ isRequired }: UniqueField, left: Values, right: Values): boolean {
  if (isUnset(left[0]) || isUnset(right[0])) return isRequired === true;
  return left.every((value, index) => jsonEqual(value, right[index]));
}

/** Left out, or for the API server to choose. */
function isUnset(value: JsonValue | undefined): boolean {
  return value === undefined || value === '' || value === 0;
}

function isOursAlone(subject: K8sObject, path: FieldPath): boolean {
  return isApplied(subject, FIELD_MANAGER, path) && otherOwners(subject, FIELD_MANAGER, path).length === 0;
}

/** From the root to the fields of the item, which are no maps in any row. */
function fieldSetOf({ path, item }: Rival): JsonObject {
  const fields = Object.keys(isJsonObject(item) ? item : {}).map((name) => [`f:${name}`, {}] as const);
  const own: JsonObject = { '.': {}, ...Object.fromEntries(fields) };
  return path.reduceRight<JsonObject>((inner, step) => ({ [step]: inner }), own);
}

function union(left: JsonObject, right: JsonObject): JsonObject {
  const inner = Object.entries(right).map(([key, value]) => {
    const before = left[key];
    return [key, isJsonObject(before) && isJsonObject(value) ? union(before, value) : value] as const;
  });
  return { ...left, ...Object.fromEntries(inner) };
}

function emptyEntry({ apiVersion }: K8sObject): JsonObject {
  return { manager: FIELD_MANAGER, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1: {} };
}
