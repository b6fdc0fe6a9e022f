/** A small model of how an API server tracks who owns which fields. */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual, mapAt, stringAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { findItem, keyOfItem } from '../managed-fields.ts';

type Path = readonly string[];
type Operation = 'Apply' | 'Update';

/** Paths of fields, as JSON texts, by `operation manager`. */
export type Owners = ReadonlyMap<string, ReadonlySet<string>>;

interface Tracked {
  readonly object: K8sObject;
  readonly owners: Owners;
}

/** Lists whose items have keys; all others have one owner as a whole. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  webhooks: ['name'],
  ports: ['port', 'protocol'],
};

const UNTRACKED: ReadonlySet<string> = new Set(
  'name namespace uid resourceVersion generation creationTimestamp deletionTimestamp managedFields'.split(
    ' ',
  ),
);

/** Server-side apply with force. */
export function applyFields(live: Tracked, config: K8sObject, manager: string): Tracked {
  const wanted = fieldsOf(tracked(config));
  const self = entryName('Apply', manager);
  const dropped = [...(live.owners.get(self) ?? [])].filter((path) => !wanted.has(path));
  const removed = dropped.filter((path) => !isOwnedByOthers(live.owners, self, path));
  const cleared = removed.reduce<JsonValue>(
    (tree, path) => write(tree, parse(path), undefined) ?? {},
    live.object,
  );
  const before = fieldsOf(tracked(live.object));
  const object = [...wanted].reduce<JsonValue>(
    (tree, [path, value]) => write(tree, parse(path), value) ?? {},
    cleared,
  );
  const changed = [...wanted]
    .filter(([path, value]) => !jsonEqual(before.get(path), value))
    .map(([path]) => path);
  const owners = new Map(lose(live.owners, self, changed)).set(self, new Set(wanted.keys()));
  return { object: object as K8sObject, owners }; // the identity is in no tracked field
}

/** An ordinary update: what changes is no longer anybody else's. */
export function updateFields(live: Tracked, object: K8sObject, manager: string): Tracked {
  const before = fieldsOf(tracked(live.object));
  const after = fieldsOf(tracked(object));
  const self = entryName('Update', manager);
  const set = [...after].filter(([path, value]) => !jsonEqual(before.get(path), value)).map(([path]) => path);
  const gone = [...before.keys()].filter((path) => !isIn(after, path));
  const others = lose(live.owners, self, [...set, ...gone]);
  const own = [...(live.owners.get(self) ?? []), ...set].filter((path) => after.has(path));
  const { managedFields: _fields, ...metadata } = object.metadata;
  return { object: { ...object, metadata }, owners: new Map(others).set(self, new Set(own)) };
}

export function managedFieldsOf(owners: Owners, apiVersion: string): JsonArray {
  return [...owners]
    .filter(([, paths]) => paths.size > 0)
    .map(([entry, paths]) => {
      const [operation = '', manager = ''] = entry.split(' ');
      return {
        manager,
        operation,
        apiVersion,
        fieldsType: 'FieldsV1',
        fieldsV1: treeOf([...paths].map(parse)),
      };
    });
}

/** The reverse of `managedFieldsOf`. */
export function ownersOf(managedFields: JsonArray): Owners {
  return new Map(
    managedFields.map((entry) => {
      const operation = stringAt(entry, 'operation') === 'Apply' ? 'Apply' : 'Update';
      const paths = pathsOf(mapAt(entry, 'fieldsV1')).map((path) => JSON.stringify(path));
      return [entryName(operation, stringAt(entry, 'manager') ?? ''), new Set(paths)];
    }),
  );
}

function pathsOf(fields: JsonValue): readonly Path[] {
  const inner = Object.entries(isJsonObject(fields) ? fields : {});
  if (inner.length === 0) return [[]];
  return inner.flatMap(([step, below]) => pathsOf(below).map((path) => [step, ...path]));
}

function entryName(operation: Operation, manager: string): string {
  return `${operation} ${manager}`;
}

/** Also when something was put into what was empty. */
function isIn(fields: ReadonlyMap<string, JsonValue>, path: string): boolean {
  const start = path.slice(0, -1);
  return fields.has(path) || [...fields.keys()].some((other) => other.startsWith(`${start},`));
}

function isOwnedByOthers(owners: Owners, self: string, path: string): boolean {
  return [...owners].some(([entry, paths]) => entry !== self && paths.has(path));
}

function lose(owners: Owners, self: string, changed: readonly string[]): Owners {
  const kept = (paths: ReadonlySet<string>): ReadonlySet<string> =>
    new Set([...paths].filter((path) => !changed.includes(path)));
  return new Map([...owners].map(([entry, paths]) => [entry, entry === self ? paths : kept(paths)]));
}

function tracked(object: K8sObject): JsonObject {
  const { apiVersion: _version, kind: _kind, status: _status, metadata, ...rest } = object;
  return {
    ...rest,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !UNTRACKED.has(key))),
  };
}

/** Owned paths with their values. The item of a keyed list is a field of its own, with `.` at the end. */
function fieldsOf(value: JsonValue, path: Path = []): ReadonlyMap<string, JsonValue> {
  const keys = KEYS[(path.at(-1) ?? '').slice(2)];
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    const fields = Object.entries(value).map(([name, member]) => fieldsOf(member, [...path, `f:${name}`]));
    return new Map(fields.flatMap((inner) => [...inner]));
  }
  if (isJsonArray(value) && value.length > 0 && keys !== undefined) {
    const items = value.flatMap((item) => {
      const place = [...path, keyOfItem(item, keys)];
      return [[JSON.stringify([...place, '.']), {}] as const, ...fieldsOf(item, place)];
    });
    return new Map(items);
  }
  return path.length === 1 && path[0] === 'f:metadata' ? new Map() : new Map([[JSON.stringify(path), value]]);
}

function isEmptyMap(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function parse(path: string): Path {
  return JSON.parse(path) as Path; // as fieldsOf wrote it
}

/** A copy of the tree with another value at a path; undefined removes it. Items are made when they are missing. */
function write(tree: JsonValue, path: Path, value: JsonValue | undefined): JsonValue | undefined {
  const [step, ...rest] = path;
  // An empty map adds nothing to what others put there.
  if (step === undefined) return isEmptyMap(value) && isJsonObject(tree) ? tree : value;
  if (step === '.') return value === undefined ? undefined : tree;
  return step.startsWith('f:') ? writeMember(tree, step, rest, value) : writeItem(tree, step, rest, value);
}

function writeMember(tree: JsonValue, step: string, rest: Path, value: JsonValue | undefined): JsonValue {
  const map = isJsonObject(tree) ? tree : {};
  const name = step.slice(2);
  const inner = write(map[name] ?? {}, rest, value);
  const others = Object.fromEntries(Object.entries(map).filter(([key]) => key !== name));
  return inner === undefined ? others : { ...map, [name]: inner };
}

function writeItem(tree: JsonValue, step: string, rest: Path, value: JsonValue | undefined): JsonValue {
  const list = isJsonArray(tree) ? tree : [];
  const item = findItem(list, step);
  if (item === undefined && value === undefined) return list;
  const fresh = JSON.parse(step.slice(2)) as JsonObject; // a key is a map
  const inner = write(item ?? fresh, rest, value);
  const replaced =
    item === undefined ? [...list, inner] : list.map((other) => (other === item ? inner : other));
  return replaced.filter((other) => other !== undefined);
}

function treeOf(paths: readonly Path[]): JsonObject {
  return paths.reduce<JsonObject>((tree, path) => insert(tree, path), {});
}

function insert(tree: JsonObject, path: Path): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return tree;
  const inner = tree[step];
  return { ...tree, [step]: insert(isJsonObject(inner) ? inner : {}, rest) };
}
