/**
 * What one reconcile of an IstioOperator came to. Status, events, metrics, log line and the next try are all derived
 * from this one value, so they cannot disagree.
 */
import type { ClusterErrorKind } from './cluster-error.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { ObjectRef } from './object.ts';
import type { ComponentName, Owner, Plan } from './plan.ts';
import type { ApplyReport, Change, Dispute, NotReady } from './report.ts';
import type { DataPlane, InventoryEntry, PendingPlan, PodCount } from './status.ts';

/** The part of a plan that is worth telling. */
export interface Release {
  readonly profile: string;
  readonly revision: string;
  readonly version: string;
  readonly components: readonly ComponentName[];
  readonly images: readonly string[];
  /** Kinds that were asked for and that the cluster does not serve. */
  readonly missingKinds: readonly string[];
  readonly warnings: readonly Diagnostic[];
  /** Absent while that is not known, as in the middle of a run. */
  readonly injectionFaults?: readonly InjectionFault[];
  /** Absent while that is not known; `unasked` when nobody wants to know. */
  readonly dataPlane?: DataPlane | 'unasked';
  /** Where approval is required: the hash of the content that has it. */
  readonly approvedContent?: string;
}

/** Why a reconcile ended outside of the engine; `internal` is a fault of the operator itself. */
export interface Problem {
  readonly kind: ClusterErrorKind | 'internal';
  /** One sentence without full stop. */
  readonly message: string;
}

/** An object that another resource holds. */
export interface Contested {
  readonly ref: ObjectRef;
  /** Namespace and name of that resource, such as `istio-system/demo`. */
  readonly holder: string;
}

/** What keeps a control plane from being deleted. `revision` is `default` for the one without a name. */
export type Usage =
  | {
      readonly kind: 'used';
      readonly revision: string;
      readonly count: PodCount;
      /** Revision tags of others that point to it. */
      readonly tags: readonly string[];
    }
  /** It could not be told who uses it. */
  | { readonly kind: 'unknown'; readonly revision: string; readonly cause: string };

/** What is wrong with the injection of a control plane although everything of it is applied. */
export interface InjectionFault {
  readonly reason: 'OverlappingInjectors' | 'DanglingTag' | 'TagHeld' | 'TagMoving';
  /** Sentences, the last of which says what to do. */
  readonly message: string;
}

export type Outcome =
  /** Everything is applied, works and nothing is left over. */
  | { readonly kind: 'ready'; readonly release: Release; readonly report: ApplyReport }
  /** Everything so far was accepted; something does not work yet and still has that much time. */
  | {
      readonly kind: 'progressing';
      readonly release: Release;
      readonly report: ApplyReport;
      readonly remainingMs: number;
    }
  /** As `progressing`, but the time it should take at most is over. */
  | {
      readonly kind: 'notReady';
      readonly release: Release;
      readonly report: ApplyReport;
      readonly timeoutMs: number;
    }
  /** The API server did not accept an object. */
  | { readonly kind: 'failed'; readonly release: Release; readonly report: ApplyReport }
  /** In hardened mode: an administrator has to apply what the operator may not. Nothing of that was written. */
  | {
      readonly kind: 'awaitingAdministrator';
      readonly release: Release;
      readonly report: ApplyReport;
      /** The resource, for the command that applies it. */
      readonly owner: Owner;
    }
  /**
   * Everything was accepted, but others change or delete something again and again, so that it is left as it is for a
   * while.
   */
  | {
      readonly kind: 'disputed';
      readonly release: Release;
      readonly report: ApplyReport;
      readonly disputes: readonly Dispute[];
    }
  /** Everything is ready, but something that is not wanted any more could not be deleted. */
  | { readonly kind: 'pruneFailed'; readonly release: Release; readonly report: ApplyReport }
  /** The specification means nothing that could be applied. Nothing was changed. */
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] }
  /**
   * The resource is of a release line that this operator does not install. Nothing was changed: an installation of
   * that line is as good as before.
   */
  | { readonly kind: 'unsupported'; readonly line: string; readonly diagnostics: readonly Diagnostic[] }
  /** What is installed may not become the wanted version in place. Nothing was changed. */
  | {
      readonly kind: 'upgradeRefused';
      readonly release: Release;
      readonly diagnostics: readonly Diagnostic[];
    }
  /**
   * Another resource holds objects that only one can have. Nothing was changed, but for what all may use and nobody else
   * looked after any more; then `inventory` has it.
   */
  | {
      readonly kind: 'contested';
      readonly release: Release;
      readonly contested: readonly Contested[];
      readonly inventory?: readonly InventoryEntry[];
    }
  /** An annotation asks for the plan only. Nothing was changed. */
  | { readonly kind: 'dryRun'; readonly release: Release; readonly plan: PendingPlan }
  /** A person has to approve the plan. Nothing was changed. */
  | {
      readonly kind: 'awaitingApproval';
      readonly release: Release;
      readonly plan: PendingPlan;
      /** The resource, for the command that approves. */
      readonly owner: Owner;
      /** What the annotation approves instead; absent when it approves nothing. */
      readonly approved?: string;
    }
  /** A call around the engine failed. `changes` are those made before. */
  | { readonly kind: 'interrupted'; readonly problem: Problem; readonly changes: readonly Change[] }
  /** The operator is stopping; whoever comes next continues. */
  | { readonly kind: 'stopped'; readonly changes: readonly Change[] }
  /** An annotation says that the operator must not act. */
  | { readonly kind: 'paused' }
  /**
   * The resource belongs to an operator of another revision. `attended`: somebody has reported on it already;
   * `awaited`: somebody may do so soon; `none`: nobody does, so we have to say so.
   */
  | {
      readonly kind: 'ignored';
      readonly revision: string;
      readonly operatorRevision: string;
      readonly attention: 'attended' | 'awaited' | 'none';
    }
  | {
      readonly kind: 'deleting';
      readonly remaining: readonly NotReady[];
      readonly inventory: readonly InventoryEntry[];
    }
  /** As `deleting`, but the time it should take at most is over. */
  | {
      readonly kind: 'deletionBlocked';
      readonly remaining: readonly NotReady[];
      readonly inventory: readonly InventoryEntry[];
    }
  /** The resource is deleted, but its control plane is in use. Nothing was deleted. */
  | { readonly kind: 'inUse'; readonly usage: Usage; readonly inventory: readonly InventoryEntry[] }
  /** The finalizer is removed. Everything is deleted, but for a number of objects that were left on purpose. */
  | {
      readonly kind: 'deleted';
      readonly left: number;
      /**
       * Objects that say they belong to the resource, and that no record of ours holds, as when another operator
       * installed them. They stay: labels alone are no proof. Absent when there are none.
       */
      readonly unrecorded?: { readonly owner: Owner; readonly refs: readonly ObjectRef[] };
      /** In hardened mode: the resource, whose objects an administrator has to delete. */
      readonly administeredFor?: Owner;
    }
  /** There is no such resource, or it is being deleted and nothing of it is ours. */
  | { readonly kind: 'absent' };

export type OutcomeKind = Outcome['kind'];

export function releaseOf(plan: Plan): Release {
  return {
    profile: plan.profile,
    revision: plan.revision,
    version: plan.version,
    components: plan.components.map((planned) => planned.component),
    images: plan.images,
    missingKinds: plan.missingKinds,
    warnings: plan.warnings,
  };
}

/** What was changed in the cluster, whatever the reconcile came to. */
export function changesOf(outcome: Outcome): readonly Change[] {
  if ('report' in outcome) return outcome.report.changes;
  return 'changes' in outcome ? outcome.changes : [];
}
