/** The status of an IstioOperator as it stands in the cluster. */
import type { ObjectRef } from './object.ts';

/** Upstream's enumeration; Argo CD's health check for IstioOperator reads it. */
export type LegacyStatus = 'NONE' | 'UPDATING' | 'RECONCILING' | 'HEALTHY' | 'ERROR' | 'ACTION_REQUIRED';

/** There at all times. */
export type StandingConditionType = 'Ready' | 'Reconciling' | 'Stalled' | 'Valid' | 'Applied';

/**
 * `Ready`, `Reconciling` and `Stalled` follow kstatus; `Valid` tells whether the specification could be planned,
 * `Applied` whether everything in the plan was accepted by the API server. `MonitoringCRDsMissing` is there only while
 * it is true: something of the plan was left out because the cluster does not serve its kind.
 */
export type ConditionType = StandingConditionType | 'MonitoringCRDsMissing';

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
}
