/**
 * The part of an API server that the controller sees: watched lists, and IstioOperators with generations, resource
 * versions, finalizers and a status that merge patches change.
 */
import type { ClusterPort } from '../../apply/cluster.port.ts';
import { ClusterError } from '../../model/cluster-error.ts';
import type { ClusterErrorKind } from '../../model/cluster-error.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, mapAt } from '../../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../../model/object.ts';
import { identityOf, namespaceOf, refOf } from '../../model/object.ts';
import { finalizersOf, generationOf, resourceVersionOf, storedStatus } from '../resource.ts';
import { brokenInvariants, brokenTransitions } from '../status-invariants.ts';
import type { ResourcePort, WatchEvent, WatchOptions, WatchPort, Watched } from '../watch.port.ts';

type Handler = (event: WatchEvent) => void;

interface Subscription {
  readonly kind: GroupVersionKind;
  readonly options: WatchOptions;
  readonly handlers: Set<Handler>;
}

export class InMemoryCluster implements WatchPort, ResourcePort {
  readonly #objects = new Map<string, K8sObject>();
  readonly #subscriptions = new Set<Subscription>();
  readonly events: K8sObject[] = [];
  /** What broke an invariant; tests expect it to stay empty. */
  readonly unsound: string[] = [];
  readonly statusPatches: JsonObject[] = [];
  /** Errors that the next calls of a method get, in turn. */
  readonly failures: Partial<Record<keyof ResourcePort, ClusterErrorKind[]>> = {};
  synced: Promise<void> = Promise.resolve();
  /** Of every watch that is asked to list anew. */
  refreshed: Promise<void> = Promise.resolve();
  refreshes = 0;
  readonly #syncHandlers = new Set<(isSynced: boolean) => void>();
  #isAway = false;
  #version = 100;

  watch(kind: GroupVersionKind, options: WatchOptions): Watched {
    const subscription: Subscription = { kind, options, handlers: new Set() };
    this.#subscriptions.add(subscription);
    return {
      synced: this.synced,
      isSynced: () => !this.#isAway,
      onSync: (handler) => {
        this.#syncHandlers.add(handler);
        return () => this.#syncHandlers.delete(handler);
      },
      get: (ref) =>
        this.#visible(subscription).find((object) => identityOf(refOf(object)) === identityOf(ref)),
      list: () => this.#visible(subscription),
      onChange: (handler) => {
        subscription.handlers.add(handler);
        for (const object of this.#visible(subscription)) handler({ type: 'added', object });
        return () => subscription.handlers.delete(handler);
      },
      refresh: async () => {
        this.refreshes += 1;
        await this.refreshed;
      },
      stop: () => this.#subscriptions.delete(subscription),
    };
  }

  /** The server is away from all watches. */
  goAway(): void {
    this.#isAway = true;
    for (const handler of this.#syncHandlers) handler(false);
  }

  /** It is back, and everything was listed anew. */
  comeBack(): void {
    this.#isAway = false;
    for (const handler of this.#syncHandlers) handler(true);
  }

  /** How many watches are going on. */
  get watches(): number {
    return this.#subscriptions.size;
  }

  read(ref: ObjectRef): K8sObject | undefined {
    return this.#objects.get(identityOf(ref));
  }

  /** Creates or replaces an object as a user would: a changed specification gets a new generation. */
  put(object: K8sObject): K8sObject {
    const old = this.read(refOf(object));
    const isSpecChanged = old !== undefined && JSON.stringify(old['spec']) !== JSON.stringify(object['spec']);
    const generation = old === undefined ? generationOf(object) : generationOf(old) + (isSpecChanged ? 1 : 0);
    const status = object['status'] ?? old?.['status'];
    const merged = { ...object, ...(status === undefined ? {} : { status }) };
    return this.#store({ ...merged, metadata: { ...object.metadata, generation } });
  }

  remove(ref: ObjectRef): void {
    const object = this.read(ref);
    if (object === undefined) return;
    this.#objects.delete(identityOf(ref));
    this.#tell(object, { type: 'deleted', object });
  }

  /** Asks for deletion: at once without finalizers, otherwise when the last one is removed. */
  requestDeletion(ref: ObjectRef, deletionTimestamp: string): void {
    const object = this.read(ref);
    if (object === undefined) return;
    if (finalizersOf(object).length === 0) this.remove(ref);
    else this.#store({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
  }

  async patchStatus(
    ref: ObjectRef,
    status: JsonObject,
    { resourceVersion }: { readonly resourceVersion?: string } = {},
  ): Promise<K8sObject> {
    const object = this.#expect('patchStatus', ref);
    if (resourceVersion !== undefined && resourceVersion !== resourceVersionOf(object))
      throw clusterError('conflict', 'patch status', ref);
    if (Object.keys(status).length === 0) return object;
    this.statusPatches.push(status);
    const stored = this.#store({ ...object, status: applyMergePatch(mapAt(object, 'status'), status) });
    this.#checkStatus(object, stored);
    return stored;
  }

  async setFinalizers(
    ref: ObjectRef,
    finalizers: readonly string[],
    options: { readonly resourceVersion: string },
  ): Promise<K8sObject> {
    const object = this.#expect('setFinalizers', ref);
    if (options.resourceVersion !== resourceVersionOf(object)) throw clusterError('conflict', 'update', ref);
    const stored = { ...object, metadata: { ...object.metadata, finalizers } };
    if (finalizers.length > 0 || at(object, 'metadata', 'deletionTimestamp') === undefined)
      return this.#store(stored);
    this.remove(ref);
    return stored;
  }

  async createEvent(event: K8sObject): Promise<void> {
    this.#failIfTold('createEvent', refOf(event));
    this.events.push(event);
  }

  async scanMetadata({ kind }: GroupVersionKind, show: (object: K8sObject) => void): Promise<void> {
    this.#failIfTold('scanMetadata', undefined);
    for (const object of this.#objects.values()) if (object.kind === kind) show(object);
  }

  async serverVersion(): Promise<string> {
    this.#failIfTold('serverVersion', undefined);
    return 'v1.34.4';
  }

  #expect(method: keyof ResourcePort, ref: ObjectRef): K8sObject {
    this.#failIfTold(method, ref);
    const object = this.read(ref);
    if (object === undefined) throw clusterError('absent', method, ref);
    return object;
  }

  #failIfTold(method: keyof ResourcePort, ref: ObjectRef | undefined): void {
    const kind = this.failures[method]?.shift();
    if (kind !== undefined) throw clusterError(kind, method, ref);
  }

  #store(object: K8sObject): K8sObject {
    const old = this.read(refOf(object));
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(identityOf(refOf(stored)), stored);
    this.#tell(
      stored,
      old === undefined ? { type: 'added', object: stored } : { type: 'updated', object: stored, old },
    );
    return stored;
  }

  #tell(object: K8sObject, event: WatchEvent): void {
    for (const subscription of this.#subscriptions) {
      if (!isSelected(object, subscription)) continue;
      for (const handler of subscription.handlers) handler(event);
    }
  }

  #visible(subscription: Subscription): readonly K8sObject[] {
    return [...this.#objects.values()].filter((object) => isSelected(object, subscription));
  }

  #checkStatus(before: K8sObject, after: K8sObject): void {
    const [old, now] = [storedStatus(before), storedStatus(after)];
    if (now === undefined) this.unsound.push('an empty status');
    else {
      this.unsound.push(...brokenInvariants(now, generationOf(after)));
      if (old !== undefined) this.unsound.push(...brokenTransitions(old, now));
    }
  }
}

function isSelected(object: K8sObject, { kind, options }: Subscription): boolean {
  const isKind = object.apiVersion === kind.apiVersion && object.kind === kind.kind;
  const { fieldSelector } = options;
  const isField = fieldSelector === undefined || fieldSelector === `metadata.name=${object.metadata.name}`;
  return isKind && isField && (options.namespace === undefined || options.namespace === namespaceOf(object));
}

export function clusterError(kind: ClusterErrorKind, verb: string, ref?: ObjectRef): ClusterError {
  return new ClusterError(`${verb} failed: ${kind}`, { kind, verb, ...(ref === undefined ? {} : { ref }) });
}

/** RFC 7386, written down apart from the code under test. */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, JsonValue> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

/** For tests whose engine is scripted: nothing may reach the cluster. */
export const UNREACHABLE_CLUSTER: ClusterPort = {
  get: async (ref) => Promise.reject(clusterError('unavailable', 'get', ref)),
  list: async () => Promise.reject(clusterError('unavailable', 'list')),
  apply: async (object) => Promise.reject(clusterError('unavailable', 'apply', refOf(object))),
  replaceManagedFields: async (live) => Promise.reject(clusterError('unavailable', 'patch', refOf(live))),
  delete: async (ref) => Promise.reject(clusterError('unavailable', 'delete', ref)),
};
