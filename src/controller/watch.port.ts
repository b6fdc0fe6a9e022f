/** What the controller needs of the cluster beside the engine's port. Implemented in cluster/. */
import type { JsonObject } from '../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';

export type WatchEvent =
  | { readonly type: 'added'; readonly object: K8sObject }
  | { readonly type: 'updated'; readonly object: K8sObject; readonly old: K8sObject }
  | { readonly type: 'deleted'; readonly object: K8sObject };

export interface WatchOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects come without spec and status, and without managedFields. */
  readonly metadataOnly?: boolean;
}

/**
 * A list that is kept up to date. Survives every failure of the API server by listing again. Objects are kept packed:
 * reading one that was not read lately costs some ten microseconds, and keeping one its memory.
 */
export interface Watched {
  /** Resolves once the first list is complete; never rejects. */
  readonly synced: Promise<void>;
  isSynced(): boolean;
  /**
   * Told with false when it is not synced any more: the server was away, as while an older state of it is restored from a
   * backup, and what was shown before may never have been. Told with true when the list is complete (again); then
   * whatever there is may have to be looked at, also if no change of it was told. Both may come more than once.
   */
  onSync(handler: (isSynced: boolean) => void): () => void;
  /**
   * Never older than what a write through the ResourcePort or the ClusterPort returned before: a reconcile that began
   * with an older inventory would orphan objects.
   */
  get(ref: ObjectRef): K8sObject | undefined;
  /** Reads every object: not for what is asked in each look at a resource, unless there are few; `Notes` is. */
  list(): readonly K8sObject[];
  /** Handlers must only enqueue or note; what they throw is logged and otherwise ignored. Returns the way to stop. */
  onChange(handler: (event: WatchEvent) => void): () => void;
  /** Lists anew; resolves once a list that began after the call is complete. Never rejects. */
  refresh(): Promise<void>;
  stop(): void;
}

export interface WatchPort {
  /** Starts at once. A kind that is not served is watched as an empty list until it appears. */
  watch(kind: GroupVersionKind, options: WatchOptions): Watched;
}

/** Writes to the watched resource itself and to its events. Every call throws ClusterError and nothing else. */
export interface ResourcePort {
  /**
   * JSON merge patch of the status subresource, only if the object still has that resourceVersion (else `conflict`); an
   * empty patch changes nothing. Returns the stored object.
   */
  patchStatus(
    ref: ObjectRef,
    status: JsonObject,
    options: { readonly signal: AbortSignal; readonly resourceVersion?: string },
  ): Promise<K8sObject>;
  /** Replaces metadata.finalizers, only if the object still has that resourceVersion (else `conflict`). */
  setFinalizers(
    ref: ObjectRef,
    finalizers: readonly string[],
    options: { readonly signal: AbortSignal; readonly resourceVersion: string },
  ): Promise<K8sObject>;
  /** Creates an events.k8s.io/v1 Event. */
  createEvent(event: K8sObject, options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Shows the metadata, without managedFields, of objects in all namespaces: as they are now, in pages, of which none
   * is kept.
   */
  scanMetadata(
    kind: GroupVersionKind,
    show: (object: K8sObject) => void,
    options: { readonly signal: AbortSignal; readonly fieldSelector?: string },
  ): Promise<void>;
  /** `gitVersion` of the API server. */
  serverVersion(options: { readonly signal: AbortSignal }): Promise<string>;
}
