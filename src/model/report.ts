/** What the engine did and found: the single currency for status, events, metrics, logs and exit codes. */
import type { ObjectRef } from './object.ts';
import type { ComponentName } from './plan.ts';
import type { InventoryEntry } from './status.ts';

/**
 * - `created`, `configured`, `unchanged`: the object equals the plan now.
 * - `pruned`: it was ours, the plan has it no more, and it is deleted.
 * - `released`: it was in the inventory, but it is gone or is another object by now; we let go of it.
 */
export type ChangeAction = 'created' | 'configured' | 'unchanged' | 'pruned' | 'released';

export interface Change {
  readonly ref: ObjectRef;
  readonly action: ChangeAction;
  /** For `configured`: the fields that differed, such as `spec.replicas`. */
  readonly fields: readonly string[];
  /** For `configured`: who had changed those fields, as far as managedFields tells. */
  readonly changedBy: readonly string[];
  /**
   * Somebody else changed the object, or deleted it, because it was as planned before and the plan is the same.
   * Not known after a restart; then only `changedBy` tells.
   */
  readonly drifted?: true;
  /**
   * Who wrote last, where a change has no name on it: whoever takes a field away owns nothing. It may have been somebody
   * else, who wrote before or left no trace at all.
   */
  readonly suspect?: string;
  /** For `configured`: the change was to an immutable field, so the object was deleted and created again. */
  readonly recreated?: true;
}

/** An object that is applied but does not work yet. */
export interface NotReady {
  readonly ref: ObjectRef;
  /** One sentence without full stop, such as `0 of 1 pods are available: ImagePullBackOff`. */
  readonly reason: string;
  /** The API server says no: to the pods of a workload, or to the deletion of an object. Waiting alone is of no use. */
  readonly refused?: true;
}

/** Who has to act before an object is accepted; `object` when the object itself is at fault, or nobody is. */
export type FailureCause = 'object' | 'rights' | 'admission' | 'webhook' | 'quota' | 'server';

export type ComponentResult =
  | { readonly kind: 'ready' }
  /** Applied, not ready within the time-out. */
  | { readonly kind: 'notReady'; readonly waitingFor: readonly NotReady[] }
  /** An object was not accepted. */
  | {
      readonly kind: 'failed';
      readonly ref: ObjectRef;
      readonly message: string;
      readonly retryable: boolean;
      /** Of the failure that the message is about; `object` when absent. */
      readonly cause?: FailureCause;
      /** Not retryable for lack of a right, which somebody may be about to grant. */
      readonly forbidden?: true;
      /** In hardened mode: an administrator has to apply the object. Nothing of it was written. */
      readonly administered?: true;
    }
  /** Not touched, because a component before it is not ready. */
  | { readonly kind: 'skipped'; readonly waitingFor: readonly ComponentName[] };

/** What others change or delete again and again, so that it is left as it is for a while. */
export interface Dispute {
  readonly ref: ObjectRef;
  /** Such as `spec.ports[port=443,protocol=TCP].targetPort`; absent when the object itself is deleted. */
  readonly field?: string;
  /** Who changes it, as far as managedFields tells. */
  readonly managers: readonly string[];
  /** After that time it is put back once more, unless it goes on until then; in milliseconds. */
  readonly retryInMs: number;
}

export interface ApplyReport {
  /** One entry for each component of the plan. */
  readonly components: ReadonlyMap<ComponentName, ComponentResult>;
  readonly changes: readonly Change[];
  /** Everything that is ours in the cluster after this run, also what could not be pruned. */
  readonly inventory: readonly InventoryEntry[];
  /** Objects that should have been pruned but could not be. */
  readonly pruneFailures: readonly { readonly ref: ObjectRef; readonly message: string }[];
  /** Absent when nothing is disputed. */
  readonly disputes?: readonly Dispute[];
}

export type DeletionReport =
  | { readonly kind: 'deleted' }
  /** Some objects are still there: what, and why as far as is known. The inventory holds what is left. */
  | {
      readonly kind: 'blocked';
      readonly remaining: readonly NotReady[];
      readonly inventory: readonly InventoryEntry[];
    };
