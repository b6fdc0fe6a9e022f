/** The cluster as the engine sees it. Implemented in cluster/; every call throws ClusterError and nothing else. */
import type { JsonArray } from '../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';

export interface ApplyOptions {
  readonly signal: AbortSignal;
  /** Takes fields over from other managers. */
  readonly force: boolean;
  /** The server computes the result but stores nothing. */
  readonly dryRun?: boolean;
}

export interface GetOptions {
  readonly signal: AbortSignal;
  /**
   * The object under another version of its group, when the named one is not served any more. The answer says under
   * which.
   */
  readonly anyVersion?: true;
}

export interface DeleteOptions {
  readonly signal: AbortSignal;
  /** Only this object is deleted, not one of the same name that came after it. */
  readonly uid?: string;
}

export interface ListOptions {
  readonly signal: AbortSignal;
  readonly namespace: string;
  /** As in the API's query, such as `app=istiod,istio.io/rev=default`. */
  readonly labelSelector?: string;
  /** Likewise, such as `reason=FailedCreate`; which fields there are depends on the kind. */
  readonly fieldSelector?: string;
}

export interface ClusterPort {
  /**
   * The live object with its managedFields, or undefined when there is none or its kind is not served; not being able
   * to tell is an error, never undefined. May be answered from a cache, but never with a state older than what `apply`
   * or `delete` of the same port returned before.
   */
  get(ref: ObjectRef, options: GetOptions): Promise<K8sObject | undefined>;
  /** All objects of a kind in a namespace; none when the kind is not served. Called seldom: see its callers. */
  list(kind: GroupVersionKind, options: ListOptions): Promise<readonly K8sObject[]>;
  /** Server-side apply with field manager `istio-operator`; returns the object as stored. */
  apply(object: K8sObject, options: ApplyOptions): Promise<K8sObject>;
  /**
   * Says anew who owns which fields of a live object, and changes nothing else; returns the object as stored. A conflict
   * when the object has changed since it was read.
   */
  replaceManagedFields(
    live: K8sObject,
    managedFields: JsonArray,
    options: { readonly signal: AbortSignal },
  ): Promise<K8sObject>;
  /** Deletes in the background; `absent` when there was nothing, or the uid is another one. */
  delete(ref: ObjectRef, options: DeleteOptions): Promise<'accepted' | 'absent'>;
}
