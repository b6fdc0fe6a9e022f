/**
 * Reads `metadata.managedFields`: which manager owns which fields of a live object. The field sets are kept in the
 * form of the API (FieldsV1): nested maps with the keys `f:<field>`, `k:{…}` for the item of a keyed list, `v:<value>`
 * for the member of a set, and `.` for the item itself.
 */
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonObject, jsonEqual, listAt, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';

/** Under this name the operator applies. istioctl and earlier operators use the same. */
export const FIELD_MANAGER = 'istio-operator';

/** The fields that a manager applied, in the terms of one API version. */
export interface AppliedFields {
  readonly apiVersion: string;
  readonly fields: JsonObject;
}

/** What the manager applied last, less what others have changed since; undefined when it never applied. */
export function appliedFields(live: K8sObject, manager: string): AppliedFields | undefined {
  const entry = entriesOf(live).find((candidate) => isApplyEntry(candidate, manager));
  if (entry === undefined) return undefined;
  return { apiVersion: stringAt(entry, 'apiVersion') ?? '', fields: mapAt(entry, 'fieldsV1') };
}

/** Tells whether the manager applied the field at a path of FieldsV1 keys, or what it stands in. */
export function isApplied(live: K8sObject, manager: string, path: readonly string[]): boolean {
  const applied = appliedFields(live, manager);
  return applied !== undefined && owns(applied.fields, path);
}

/** The other managers that own the field at a path of FieldsV1 keys, sorted. */
export function otherOwners(live: K8sObject, manager: string, path: readonly string[]): readonly string[] {
  const owners = entriesOf(live)
    .filter((entry) => !isApplyEntry(entry, manager) && owns(mapAt(entry, 'fieldsV1'), path))
    .map((entry) => stringAt(entry, 'manager') ?? 'unknown');
  return [...new Set(owners)].toSorted();
}

export interface FieldOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** RFC 3339, when the API server tells it. */
  readonly time?: string;
}

/** All managers that own what stands at a path of map keys and list indexes, in the order in which they are recorded. */
export function ownersAt(live: K8sObject, path: readonly (string | number)[]): readonly FieldOwner[] {
  return entriesOf(live)
    .filter((entry) => ownsPlace({ fields: mapAt(entry, 'fieldsV1'), tree: live }, path))
    .map((entry) => {
      const time = stringAt(entry, 'time');
      return {
        manager: stringAt(entry, 'manager') ?? 'unknown',
        operation: stringAt(entry, 'operation') === 'Apply' ? 'Apply' : 'Update',
        ...(time === undefined ? {} : { time }),
      };
    });
}

interface OwnedPlace {
  readonly fields: JsonObject;
  readonly tree: JsonValue | undefined;
}

function ownsPlace({ fields, tree }: OwnedPlace, [step, ...rest]: readonly (string | number)[]): boolean {
  const keys = childKeys(fields);
  if (step === undefined || keys.length === 0) return true;
  const child = at(tree, step);
  const key = typeof step === 'string' ? `f:${step}` : keys.find((each) => isKeyOf(each, child ?? null));
  const next = key === undefined ? undefined : fields[key];
  return isFieldSet(next) && ownsPlace({ fields: next, tree: child }, rest);
}

/** Whether a key of a field set is that of an element. */
function isKeyOf(key: string, element: JsonValue): boolean {
  const found = key.startsWith('v:') ? findMember([element], key) : findItem([element], key);
  return found !== undefined;
}

/** The field set without the mark that the item itself is owned. */
export function childKeys(fields: JsonObject): readonly string[] {
  return Object.keys(fields).filter((key) => key !== '.');
}

export function isFieldSet(value: JsonValue | undefined): value is JsonObject {
  return isJsonObject(value);
}

/**
 * Finds the item of a keyed list that `k:{…}` names. An item may leave out a key field that the API server fills in:
 * ports are keyed by number and protocol, and the protocol is TCP unless given.
 */
export function findItem(list: JsonArray, key: string): JsonValue | undefined {
  const wanted = Object.entries(keyFields(key));
  if (wanted.length === 0) return undefined;
  return list.find((item) => wanted.every(([name, value]) => matchesKey(item, name, value)));
}

/** Finds the member of a set that `v:…` names. */
export function findMember(list: JsonArray, key: string): JsonValue | undefined {
  const wanted = parseKey(key);
  return list.find((member) => jsonEqual(member, wanted));
}

/** The names of the fields in a key `k:{…}`. */
export function keyNames(key: string): readonly string[] {
  return Object.keys(keyFields(key));
}

/** The key `k:{…}` of an item of a list that is keyed by these fields. */
export function keyOfItem(item: JsonValue, names: readonly string[]): string {
  const fields = names.toSorted().map((name) => [name, keyField(item, name) ?? null]);
  return `k:${JSON.stringify(Object.fromEntries(fields))}`;
}

/** A field by which an item may be known, with what the API server fills in where it is left out. */
export function keyField(item: JsonValue, name: string): JsonValue | undefined {
  return at(item, name) ?? DEFAULT_KEYS[name];
}

/** How a person reads a path: `spec.template.spec.containers[name=istiod].image`. */
export function displayPath(path: readonly string[]): string {
  return path.map(displayStep).join('').replace(/^\./, '');
}

/** Key fields of lists that may be left out, with what the API server puts in their place. */
const DEFAULT_KEYS: Readonly<Record<string, JsonValue>> = { protocol: 'TCP' };

function matchesKey(item: JsonValue, name: string, wanted: JsonValue): boolean {
  return jsonEqual(keyField(item, name), wanted);
}

function entriesOf(live: K8sObject): JsonArray {
  return listAt(live, 'metadata', 'managedFields');
}

/** Tells whether an entry of managedFields is what the manager applied, rather than wrote otherwise. */
export function isApplyEntry(entry: JsonValue, manager: string): boolean {
  return (
    stringAt(entry, 'manager') === manager &&
    stringAt(entry, 'operation') === 'Apply' &&
    (stringAt(entry, 'subresource') ?? '') === ''
  );
}

/** A manager that owns a list or map as a whole owns everything in it. */
function owns(fields: JsonObject, path: readonly string[]): boolean {
  let current: JsonObject = fields;
  for (const step of path) {
    const next = current[step];
    if (!isFieldSet(next)) return false;
    if (childKeys(next).length === 0) return true;
    current = next;
  }
  return true;
}

function keyFields(key: string): JsonObject {
  const parsed = parseKey(key);
  return isJsonObject(parsed) ? parsed : {};
}

/** What stands after `k:` or `v:`. The API server writes it, so it is JSON; anything else matches nothing. */
function parseKey(key: string): JsonValue | undefined {
  try {
    const parsed: unknown = JSON.parse(key.slice(2));
    return parsed as JsonValue; // JSON.parse makes nothing else
  } catch {
    return undefined;
  }
}

function displayStep(step: string): string {
  const rest = step.slice(2);
  if (step.startsWith('f:')) return /^[\w-]+$/.test(rest) ? `.${rest}` : `[${rest}]`;
  const parsed = parseKey(step);
  if (!isJsonObject(parsed)) return `[${plain(parsed ?? rest)}]`;
  return `[${Object.entries(parsed)
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join(',')}]`;
}

function plain(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
