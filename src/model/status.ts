/** The status of an IstioOperator as it stands in the cluster. */
import type { ObjectRef } from './object.ts';

/** Upstream's enumeration; Argo CD's health check for IstioOperator reads it. */
export type LegacyStatus = 'NONE' | 'UPDATING' | 'RECONCILING' | 'HEALTHY' | 'ERROR' | 'ACTION_REQUIRED';

/** There at all times. */
export type StandingConditionType = 'Ready' | 'Reconciling' | 'Stalled' | 'Valid' | 'Applied';

/**
 * `Ready`, `Reconciling` and `Stalled` follow kstatus; `Valid` tells whether the specification could be planned,
 * `Applied` whether everything in the plan was accepted by the API server. The others are there only while they are true:
 * `MonitoringCRDsMissing`: something of the plan was left out because the cluster does not serve its kind;
 * `InjectionConflict`: pods are reached by two control planes, or by one that is not there.
 */
export type ConditionType = StandingConditionType | 'MonitoringCRDsMissing' | 'InjectionConflict';

export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration: number;
  /** RFC 3339 time at which `status` last changed. */
  readonly lastTransitionTime: string;
  /** One word in CamelCase; docs/conditions.md lists them. */
  readonly reason: string;
  readonly message: string;
}

export interface ComponentStatus {
  readonly status: LegacyStatus;
  readonly version?: string;
  readonly error?: string;
}

/** One applied object; the uid tells a re-created object from the one we applied. */
export interface InventoryEntry extends ObjectRef {
  readonly uid?: string;
}

/** How many pods there are, and where. */
export interface PodCount {
  readonly pods: number;
  /** Those with the most pods first. */
  readonly namespaces: readonly { readonly name: string; readonly pods: number }[];
  /** How many more namespaces there are than are named. */
  readonly moreNamespaces?: number;
}

/** Which control planes the pods of the cluster use. */
export interface DataPlane {
  /** In order of revision; `default` is the one without a name. */
  readonly revisions: readonly (PodCount & { readonly revision: string })[];
  /** Pods in ambient mode, which have no proxy of their own. */
  readonly ambient?: PodCount;
  /** Why nothing is known. */
  readonly message?: string;
}

/** What applying would do while a person or an annotation keeps the operator from it. */
export interface PendingPlan {
  /** Names the plan; an approval repeats it. */
  readonly hash: string;
  readonly create: number;
  readonly configure: number;
  readonly prune: number;
  readonly unchanged: number;
  /** Objects that the API server would not accept. */
  readonly refused: number;
  /** Where the differences are to be read, in the namespace of the resource; absent when they could not be stored. */
  readonly configMap?: string;
  /** Why they could not be stored. */
  readonly problem?: string;
}

export interface OperatorStatus {
  readonly status: LegacyStatus;
  readonly message: string;
  readonly observedGeneration: number;
  readonly profile?: string;
  readonly revision?: string;
  readonly version?: string;
  /** Every image that pods of the installation run; sorted. Absent until a plan was made. */
  readonly images?: readonly string[];
  readonly componentStatus: Readonly<Record<string, ComponentStatus>>;
  readonly conditions: readonly Condition[];
  readonly inventory: readonly InventoryEntry[];
  /** Only where the resource asks for it. */
  readonly dataPlane?: DataPlane;
  /** Absent unless a plan waits, or was only asked for. */
  readonly plan?: PendingPlan;
  /** Hash of the content that may be applied, and applied again, where approval is required. */
  readonly approvedContent?: string;
}
