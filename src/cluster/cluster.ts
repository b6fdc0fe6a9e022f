/** The cluster as the engine, the controller and the command line use it, over the transport. */
import type { ApplyOptions, ClusterPort, DeleteOptions, GetOptions } from '../apply/cluster.port.ts';
import type { ResourcePort } from '../controller/watch.port.ts';
import { ClusterError, isClusterError } from '../model/cluster-error.ts';
import type { JsonArray, JsonObject } from '../model/json.ts';
import { stringAt } from '../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { groupOf, isK8sObject, refOf } from '../model/object.ts';
import { isKindUnknown } from './api-error.ts';
import type { Discovery } from './discovery.ts';
import type { Selection } from './list-pages.ts';
import { listPages, scanPages } from './list-pages.ts';
import type { ResourceMapping } from './resource-path.ts';
import { collectionPath, groupOfDefinition, objectPath } from './resource-path.ts';
import type { ApiRequest, Transport, WriteFence } from './transport.ts';

export const FIELD_MANAGER = 'istio-operator';

export interface CallOptions {
  readonly signal: AbortSignal;
}

export interface Cluster extends ClusterPort, ResourcePort {
  /** Everything of a kind, or nothing when the kind is not served. */
  list(kind: GroupVersionKind, options: Selection & CallOptions): Promise<readonly K8sObject[]>;
}

/** What is possible beside, where every call goes to the API server. */
export interface UncachedCluster extends Cluster {
  /** Merges into the metadata; with a `resourceVersion` it throws `conflict` when the object changed meanwhile. */
  patchMetadata(ref: ObjectRef, metadata: JsonObject, options: CallOptions): Promise<void>;
}

/** Told what our own writes led to, before the caller is, so that a cache never lags behind them. */
export interface WriteObserver {
  stored(object: K8sObject): void;
  /** The object, or the one of that name with that uid, is gone. */
  deleted(ref: ObjectRef, uid: string | undefined): void;
}

export interface ClusterDeps {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly observer?: WriteObserver;
  /** Without one, writes are always allowed. */
  readonly fence?: WriteFence;
}

export function createCluster(deps: ClusterDeps): UncachedCluster {
  return new ApiCluster(deps);
}

type Call = Pick<ApiRequest, 'method' | 'path' | 'verb' | 'ref' | 'query' | 'body' | 'signal'>;

class ApiCluster implements UncachedCluster {
  readonly #deps: ClusterDeps;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
  }

  async get(ref: ObjectRef, { signal, anyVersion }: GetOptions): Promise<K8sObject | undefined> {
    const { discovery } = this.#deps;
    const named = await discovery.resolve(ref, { signal });
    const mapping =
      named === undefined && anyVersion === true ? await discovery.resolveServed(ref, { signal }) : named;
    if (mapping === undefined || !canExist(mapping, ref)) return undefined;
    try {
      return asObject(
        await this.#call({ method: 'GET', path: objectPath(mapping, ref), verb: 'get', ref, signal }),
      );
    } catch (error) {
      if (isClusterError(error, 'absent')) return undefined;
      throw error;
    }
  }

  async list(
    kind: GroupVersionKind,
    { signal, ...selection }: Selection & CallOptions,
  ): Promise<readonly K8sObject[]> {
    const mapping = await this.#deps.discovery.resolve(kind, { signal });
    if (mapping === undefined) return [];
    const { objects } = await listPages(this.#deps.transport, mapping, selection, { signal });
    return objects;
  }

  async scanMetadata(
    kind: GroupVersionKind,
    show: (object: K8sObject) => void,
    options: CallOptions & Pick<Selection, 'fieldSelector'>,
  ): Promise<void> {
    const { signal } = options;
    const mapping = await this.#deps.discovery.resolve(kind, { signal });
    if (mapping === undefined) return;
    await scanPages(this.#deps.transport, mapping, { ...options, metadataOnly: true }, show);
  }

  async apply(object: K8sObject, { signal, force, dryRun = false }: ApplyOptions): Promise<K8sObject> {
    const ref = refOf(object);
    const mapping = await this.#mappingForWrite(ref, 'apply', signal);
    const stored = await this.#write(
      {
        method: 'PATCH',
        path: objectPath(mapping, ref),
        query: {
          fieldManager: FIELD_MANAGER,
          force: String(force),
          fieldValidation: 'Strict',
          ...(dryRun ? { dryRun: 'All' } : {}),
        },
        body: { contentType: 'application/apply-patch+yaml', json: object },
        verb: 'apply',
        ref,
        signal,
      },
      { stores: !dryRun },
    );
    if (!dryRun) this.#noticeDefinition(ref);
    return stored;
  }

  async replaceManagedFields(
    live: K8sObject,
    managedFields: JsonArray,
    { signal }: CallOptions,
  ): Promise<K8sObject> {
    const ref = refOf(live);
    const mapping = await this.#mappingForWrite(ref, 'patch', signal);
    const resourceVersion = stringAt(live, 'metadata', 'resourceVersion') ?? '';
    const patch = { metadata: { managedFields, resourceVersion } };
    return this.#mergePatch(objectPath(mapping, ref), patch, { verb: 'patch', ref, signal });
  }

  async delete(ref: ObjectRef, { signal, uid }: DeleteOptions): Promise<'accepted' | 'absent'> {
    const mapping = await this.#deps.discovery.resolve(ref, { signal });
    if (mapping === undefined || !canExist(mapping, ref)) return 'absent';
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    const json = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...preconditions,
    };
    try {
      const body = { contentType: 'application/json', json };
      const answer = await this.#call({
        method: 'DELETE',
        path: objectPath(mapping, ref),
        body,
        verb: 'delete',
        ref,
        signal,
      });
      this.#noticeDeletion(ref, answer);
      this.#noticeDefinition(ref);
      return 'accepted';
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#deps.observer?.deleted(ref, uid);
      return 'absent';
    }
  }

  async patchStatus(
    ref: ObjectRef,
    status: JsonObject,
    { signal, resourceVersion }: CallOptions & { readonly resourceVersion?: string },
  ): Promise<K8sObject> {
    const mapping = await this.#mappingForWrite(ref, 'patch', signal);
    // A uid would not do: the API server does not look at it here.
    const precondition = resourceVersion === undefined ? {} : { metadata: { resourceVersion } };
    const call = { verb: 'patch status', ref, signal };
    return this.#mergePatch(objectPath(mapping, ref, 'status'), { ...precondition, status }, call);
  }

  async setFinalizers(
    ref: ObjectRef,
    finalizers: readonly string[],
    { signal, resourceVersion }: CallOptions & { readonly resourceVersion: string },
  ): Promise<K8sObject> {
    const mapping = await this.#mappingForWrite(ref, 'patch', signal);
    const patch = { metadata: { finalizers, resourceVersion } };
    return this.#mergePatch(objectPath(mapping, ref), patch, { verb: 'patch', ref, signal });
  }

  async patchMetadata(ref: ObjectRef, metadata: JsonObject, { signal }: CallOptions): Promise<void> {
    const mapping = await this.#mappingForWrite(ref, 'patch', signal);
    await this.#mergePatch(objectPath(mapping, ref), { metadata }, { verb: 'patch', ref, signal });
  }

  async createEvent(event: K8sObject, { signal }: CallOptions): Promise<void> {
    const ref = refOf(event);
    const mapping = await this.#mappingForWrite(ref, 'create', signal);
    const body = { contentType: 'application/json', json: event };
    const path = collectionPath(mapping, ref.namespace);
    try {
      await this.#call({
        method: 'POST',
        path,
        query: { fieldManager: FIELD_MANAGER },
        body,
        verb: 'create',
        ref,
        signal,
      });
    } catch (error) {
      // An earlier try got through although its answer did not.
      if (!isClusterError(error, 'conflict')) throw error;
    }
  }

  async serverVersion({ signal }: CallOptions): Promise<string> {
    const answer = await this.#call({ method: 'GET', path: '/version', verb: 'get version', signal });
    const version = stringAt(answer, 'gitVersion');
    if (version === undefined)
      throw new ClusterError('the API server tells no version', { kind: 'unavailable', verb: 'get version' });
    return version;
  }

  async #mergePatch(
    path: string,
    patch: JsonObject,
    call: Pick<Call, 'verb' | 'ref' | 'signal'>,
  ): Promise<K8sObject> {
    const body = { contentType: 'application/merge-patch+json', json: patch };
    return this.#write(
      { ...call, method: 'PATCH', path, query: { fieldManager: FIELD_MANAGER }, body },
      { stores: true },
    );
  }

  async #write(call: Call, { stores }: { readonly stores: boolean }): Promise<K8sObject> {
    const object = asObject(await this.#call(call));
    if (stores) this.#deps.observer?.stored(object);
    return object;
  }

  async #call(call: Call): Promise<JsonObject> {
    const { transport, discovery, fence } = this.#deps;
    const fenced = call.method !== 'GET' && fence !== undefined ? { fence } : {};
    try {
      return await transport.request({ ...call, ...fenced });
    } catch (error) {
      if (error instanceof ClusterError && isKindUnknown(error) && call.ref !== undefined) {
        discovery.forget(groupOf(call.ref.apiVersion));
      }
      throw error;
    }
  }

  async #mappingForWrite(ref: ObjectRef, verb: string, signal: AbortSignal): Promise<ResourceMapping> {
    const mapping = await this.#deps.discovery.resolve(ref, { signal, afresh: true });
    if (mapping !== undefined) return mapping;
    const message = `the API server does not serve ${ref.kind} in ${ref.apiVersion}`;
    throw new ClusterError(message, { kind: 'absent', verb, ref });
  }

  /** The answer is the object itself while finalizers hold it, else a Status. */
  #noticeDeletion(ref: ObjectRef, answer: JsonObject): void {
    if (isK8sObject(answer)) this.#deps.observer?.stored(answer);
    else this.#deps.observer?.deleted(ref, stringAt(answer, 'details', 'uid'));
  }

  #noticeDefinition(ref: ObjectRef): void {
    if (ref.kind !== 'CustomResourceDefinition') return;
    this.#deps.discovery.definitionsChanged(groupOfDefinition(ref.name));
  }
}

function asObject(answer: JsonObject): K8sObject {
  if (isK8sObject(answer)) return answer;
  throw new ClusterError('the answer is not a Kubernetes object', { kind: 'unavailable', verb: 'read' });
}

/** With a uid as precondition the server answers 409 when another object has taken the name. */
function isGone(error: unknown): boolean {
  if (isClusterError(error, 'absent')) return true;
  return isClusterError(error, 'conflict') && /UID in (the )?precondition/.test(error.message);
}

/** What was refused because it has no place, or one too many, may still stand in an inventory. */
function canExist({ namespaced }: ResourceMapping, { namespace }: ObjectRef): boolean {
  return namespaced === (namespace !== undefined && namespace !== '');
}
