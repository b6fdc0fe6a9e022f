/**
 * An API server as far as the engine can tell: uids, resource versions, generations, finalizers, and server-side apply
 * with managed fields, conflicts aside. What the real one does beyond that (defaults, other spellings) is tested with
 * recorded objects and on the real one.
 */
import { ClusterError } from '../../model/cluster-error.ts';
import type { ClusterErrorKind } from '../../model/cluster-error.ts';
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject, jsonEqual, listAt, stringAt } from '../../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../../model/object.ts';
import { displayRef, identityOf, labelsOf, namespaceOf, refOf, uidOf } from '../../model/object.ts';
import type { ApplyOptions, ClusterPort, DeleteOptions, GetOptions, ListOptions } from '../cluster.port.ts';
import { FIELD_MANAGER } from '../managed-fields.ts';
import type { Owners } from './field-owners.ts';
import { applyFields, managedFieldsOf, ownersOf, updateFields } from './field-owners.ts';

export type Verb = 'get' | 'list' | 'apply' | 'dry-run' | 'own' | 'delete';

export interface Call {
  readonly verb: Verb;
  /** As `displayRef` prints it; the kind for lists. */
  readonly target: string;
}

interface Stored {
  readonly object: K8sObject;
  readonly owners: Owners;
}

export class InMemoryApi implements ClusterPort {
  readonly #stored = new Map<string, Stored>();
  readonly calls: Call[] = [];
  /** Errors by call, such as `apply Deployment istio-system/istiod`; each is thrown until it is removed. */
  readonly failures = new Map<string, ClusterError>();
  /** What the controllers of the cluster make of an object; by default everything works at once. */
  statusOf: (object: K8sObject) => JsonObject | undefined = healthyStatus;
  /** What the server makes of an object before it stores it, such as filling in defaults. */
  fillIn: (object: K8sObject) => K8sObject = (object) => object;
  /** Versions under which nothing is found any more; the objects are there under another one. */
  readonly unserved = new Set<string>();
  /** Runs before each call is answered. */
  beforeCall: (call: Call) => void = () => {};
  #counter = 0;

  async get(
    ref: ObjectRef,
    { anyVersion }: Pick<GetOptions, 'anyVersion'> = {},
  ): Promise<K8sObject | undefined> {
    this.#begin('get', displayRef(ref));
    return this.unserved.has(ref.apiVersion) && anyVersion !== true ? undefined : this.read(ref);
  }

  async list(kind: GroupVersionKind, options: ListOptions): Promise<readonly K8sObject[]> {
    this.#begin('list', kind.kind);
    const wanted = options.labelSelector?.split(',').map((pair) => pair.split('=')) ?? [];
    return [...this.#stored.values()]
      .map(({ object }) => object)
      .filter((object) => object.kind === kind.kind && namespaceOf(object) === options.namespace)
      .filter((object) => wanted.every(([name = '', value]) => labelsOf(object)[name] === value));
  }

  async apply(object: K8sObject, { dryRun = false }: Pick<ApplyOptions, 'dryRun'>): Promise<K8sObject> {
    this.#begin(dryRun ? 'dry-run' : 'apply', displayRef(refOf(object)));
    const old = this.#stored.get(identityOf(refOf(object)));
    const { object: merged, owners } = applyFields(old ?? blank(object), object, FIELD_MANAGER);
    refuseNamesakes(merged);
    const stored = this.#finished({ object: this.fillIn(merged), owners }, old);
    if (!dryRun) this.#stored.set(identityOf(refOf(object)), stored);
    return published(stored);
  }

  /** Its managedFields have no times, so that nothing ever counts as adopted. */
  async replaceManagedFields(live: K8sObject, managedFields: JsonArray): Promise<K8sObject> {
    const ref = refOf(live);
    this.#begin('own', displayRef(ref));
    const old = this.#stored.get(identityOf(ref));
    if (old === undefined || old.object.metadata['resourceVersion'] !== live.metadata['resourceVersion'])
      throw new ClusterError('the object has been modified', { kind: 'conflict', verb: 'patch' });
    const stored = this.#finished({ object: old.object, owners: ownersOf(managedFields) }, old);
    this.#stored.set(identityOf(ref), stored);
    return published(stored);
  }

  async delete(ref: ObjectRef, { uid }: Pick<DeleteOptions, 'uid'>): Promise<'accepted' | 'absent'> {
    this.#begin('delete', displayRef(ref));
    const live = this.read(ref);
    if (live === undefined || (uid !== undefined && uidOf(live) !== uid)) return 'absent';
    this.remove(ref);
    return 'accepted';
  }

  read(ref: ObjectRef): K8sObject | undefined {
    const stored = this.#stored.get(identityOf(ref));
    return stored === undefined ? undefined : published(stored);
  }

  /** Lets another manager create or change an object by an ordinary update. */
  update(manager: string, object: K8sObject): void {
    const old = this.#stored.get(identityOf(refOf(object)));
    const next = updateFields(old ?? blank(object), object, manager);
    this.#stored.set(identityOf(refOf(object)), this.#finished(next, old));
  }

  /** Changes a live object in place, as the named manager. */
  edit(manager: string, ref: ObjectRef, change: (object: K8sObject) => JsonObject): void {
    const live = this.read(ref);
    if (live === undefined) throw new Error(`${displayRef(ref)} is not there`);
    this.update(manager, { ...live, ...change(live) });
  }

  /** As a deletion does: at once, unless finalizers hold the object. */
  remove(ref: ObjectRef): void {
    const stored = this.#stored.get(identityOf(ref));
    const finalizers = stored?.object.metadata['finalizers'];
    if (stored === undefined || finalizers === undefined) {
      this.#stored.delete(identityOf(ref));
      return;
    }
    const metadata = { ...stored.object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    this.#stored.set(identityOf(ref), { ...stored, object: { ...stored.object, metadata } });
  }

  /** Takes an object away, whatever holds it. */
  erase(ref: ObjectRef): void {
    this.#stored.delete(identityOf(ref));
  }

  fail(call: string, kind: ClusterErrorKind, message = `it was made to fail as ${kind}`): void {
    this.failures.set(call, new ClusterError(message, { kind, verb: call.split(' ')[0] ?? '' }));
  }

  /** The calls of these verbs, in order, as `verb target`. */
  callsOf(...verbs: readonly Verb[]): readonly string[] {
    return this.calls
      .filter(({ verb }) => verbs.includes(verb))
      .map(({ verb, target }) => `${verb} ${target}`);
  }

  #begin(verb: Verb, target: string): void {
    const call = { verb, target };
    this.calls.push(call);
    this.beforeCall(call);
    const failure = this.failures.get(`${verb} ${target}`);
    if (failure !== undefined) throw failure;
  }

  #finished(next: Stored, old: Stored | undefined): Stored {
    const isSame = old !== undefined && jsonEqual(published(next), published(old));
    if (isSame) return old;
    const previous = old?.object.metadata;
    const generation = Number(previous?.['generation'] ?? 0) + (sameSpec(next, old) ? 0 : 1);
    this.#counter += 1;
    const uid = previous?.['uid'] ?? `uid-${this.#counter}`;
    const metadata = { ...next.object.metadata, uid, generation, resourceVersion: String(this.#counter) };
    const object = { ...next.object, metadata };
    const status = this.statusOf(object);
    return { owners: next.owners, object: status === undefined ? object : { ...object, status } };
  }
}

/** As validation of the ports of a Service does. */
function refuseNamesakes(object: K8sObject): void {
  if (object.kind !== 'Service') return;
  const names = listAt(object, 'spec', 'ports').map((port) => stringAt(port, 'name'));
  const index = names.findIndex((name, place) => names.length > 1 && names.indexOf(name) !== place);
  if (index === -1) return;
  const message = `spec.ports[${index}].name: Duplicate value: "${names[index] ?? ''}"`;
  throw new ClusterError(message, { kind: 'invalid', verb: 'apply' });
}

function sameSpec(next: Stored, old: Stored | undefined): boolean {
  return old !== undefined && jsonEqual(next.object['spec'], old.object['spec']);
}

function blank({ apiVersion, kind, metadata }: K8sObject): Stored {
  const { name, namespace } = metadata;
  const identity = { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
  return { object: identity, owners: new Map() };
}

function published({ object, owners }: Stored): K8sObject {
  const managedFields = managedFieldsOf(owners, object.apiVersion);
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Every workload is rolled out, every definition served. */
export function healthyStatus(object: K8sObject): JsonObject | undefined {
  const generation = object.metadata['generation'] ?? 1;
  const replicas: JsonValue = isJsonObject(object['spec']) ? (object['spec']['replicas'] ?? 1) : 1;
  switch (object.kind) {
    case 'Deployment':
      return {
        observedGeneration: generation,
        replicas,
        updatedReplicas: replicas,
        availableReplicas: replicas,
      };
    case 'CustomResourceDefinition':
      return { conditions: [{ type: 'Established', status: 'True' }] };
    default:
      return undefined;
  }
}
