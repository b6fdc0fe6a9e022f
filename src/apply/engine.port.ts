/** What the engine offers to the controller and the command line, and what it wants to be told. */
import type { Clock } from '../model/clock.ts';
import type { ObjectRef } from '../model/object.ts';
import type { ComponentName, Owner } from '../model/plan.ts';
import type { Change, ComponentResult } from '../model/report.ts';
import type { InventoryEntry } from '../model/status.ts';
import type { ClusterPort } from './cluster.port.ts';
import type { Disputes } from './disputes.ts';

/** Told as it happens; must not throw. For progress on a terminal, intermediate status, events. */
export interface ApplyObserver {
  componentStarted?(component: ComponentName): void;
  componentFinished?(component: ComponentName, result: ComponentResult): void;
  changed?(change: Change): void;
}

/**
 * Remembers for which pairs of desired and live object the API server said that applying changes nothing, where
 * comparing can't tell. Kept by the caller over many runs; forgetting costs one dry run, never correctness.
 */
export interface KnownEqual {
  has(pair: string): boolean;
  add(pair: string): void;
}

/** How often the engine looks at what is not ready yet, in milliseconds. */
export interface Polling {
  readonly fastMs: number;
  /** After this time the slow interval is used. */
  readonly fastForMs: number;
  readonly slowMs: number;
}

export interface EngineDeps {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly observer?: ApplyObserver;
  /** Without it nothing is remembered from one run to the next. */
  readonly knownEqual?: KnownEqual;
  /** Those of this installation. Without them whatever others change is put back each time. */
  readonly disputes?: Disputes;
  /**
   * Stores the inventory durably. Called with the union of old and new before the first write of a run that changes
   * it, so that a crash in between orphans nothing. Not called when nothing changes.
   */
  recordInventory(entries: readonly InventoryEntry[]): Promise<void>;
}

export interface ApplySettings {
  readonly signal: AbortSignal;
  /** What earlier runs applied. */
  readonly inventory: readonly InventoryEntry[];
  /** How long one component may take until it is ready, in milliseconds. */
  readonly readinessTimeoutMs: number;
  /**
   * How long a gateway that makes no progress keeps others from replacing their pods, in milliseconds; half of
   * `readinessTimeoutMs` unless set.
   */
  readonly gatewayPatienceMs?: number;
  /** The last run found everything as planned and working: what is unchanged is not looked at more closely. */
  readonly isAtRest?: boolean;
  /**
   * Whose installation this is, as the owner labels of its objects say it (`install.operator.istio.io/owning-resource`
   * and `-namespace`); tells our objects from those that another IstioOperator has taken over.
   */
  readonly owner?: Owner;
  /**
   * An administrator applies what `isAdministered` (`administered.ts`): such objects are read and held against the plan,
   * but neither written, recorded nor pruned. Where one differs its component fails and tells it.
   */
  readonly hardened?: boolean;
  /** As in DeletionSettings: such objects are released instead of pruned, so that their next holder finds them. */
  readonly keep?: (ref: ObjectRef) => boolean;
  /** Every 100 ms for ten seconds, then every 500 ms, unless set. */
  readonly polling?: Polling;
}

export interface DeletionSettings {
  readonly signal: AbortSignal;
  /** What earlier runs applied; nothing else is ever deleted. */
  readonly inventory: readonly InventoryEntry[];
  /** How long the whole deletion may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Objects that stay although they are in the inventory, such as those that another resource renders too. */
  readonly keep?: (ref: ObjectRef) => boolean;
  /** As in ApplySettings: what an administrator applied stays. */
  readonly hardened?: boolean;
  /** As in ApplySettings. */
  readonly owner?: Owner;
  /** As in ApplySettings. */
  readonly polling?: Polling;
}
