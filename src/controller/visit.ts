/** What one look at a resource works with. */
import type { ClusterPort } from '../apply/cluster.port.ts';
import type { Disputes } from '../apply/disputes.ts';
import type { ApplySettings, DeletionSettings, EngineDeps, KnownEqual } from '../apply/engine.port.ts';
import type { Preview } from '../apply/preview-plan.ts';
import type { Clock } from '../model/clock.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { namespaceOf, refOf } from '../model/object.ts';
import type { ClusterFacts, Owner, Plan, PlanResult } from '../model/plan.ts';
import type { ApplyReport, Change, DeletionReport } from '../model/report.ts';
import type { DataPlane } from '../model/status.ts';
import type { Claims, LabelledHolder } from './claims.ts';
import type { Patience } from './patience.ts';
import { resourceVersionOf } from './resource.ts';
import type { StatusWriter } from './status-writer.ts';
import type { ResourcePort } from './watch.port.ts';

/** The engine's entry points, as parameters so that tests can script them. */
export interface Engine {
  apply(deps: EngineDeps, plan: Plan, settings: ApplySettings): Promise<ApplyReport>;
  delete(deps: EngineDeps, settings: DeletionSettings): Promise<DeletionReport>;
  /** Tells what `apply` would do, and does nothing. */
  preview(
    deps: Pick<EngineDeps, 'cluster' | 'clock' | 'knownEqual' | 'disputes'>,
    plan: Plan,
    settings: Pick<ApplySettings, 'signal' | 'inventory' | 'owner' | 'keep' | 'hardened'>,
  ): Promise<Preview>;
}

export interface ReconcileSettings {
  /** Only resources of this revision are served; all of them when it is empty. */
  readonly revision: string;
  /** How long the same objects may be waited for before that counts as a failure. */
  readonly readinessTimeoutMs: number;
  /** An administrator applies cluster-scoped objects and rights; as in ApplySettings. */
  readonly hardened?: boolean;
}

export interface ReconcileDeps {
  readonly resources: ResourcePort;
  readonly cluster: ClusterPort;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly patience: Patience;
  readonly claims: Claims;
  readonly knownEqual: KnownEqual;
  /** What others undo of the work for the resource of that key. */
  disputes(key: string): Disputes;
  /** Facts about the cluster; may be answered from memory. */
  facts(signal: AbortSignal): Promise<ClusterFacts>;
  /** Another living resource that the live object says it belongs to. */
  labelledHolder(key: string, ref: ObjectRef): LabelledHolder | undefined;
  /** The objects in the cluster that say they belong to a resource, whoever made them. */
  readonly labelled: (key: string) => readonly ObjectRef[];
  /** All IstioOperators. */
  readonly keys: () => readonly string[];
  /** The `settlingState` of a resource when it was last seen; undefined when there is none of that key. */
  readonly stateOf: (key: string) => string | undefined;
  readonly find: (key: string) => K8sObject | undefined;
  /** Whether the live object says that it belongs to another resource, living or not. */
  readonly isOfAnother: (key: string, ref: ObjectRef) => boolean;
  /** All injection webhooks of the cluster. */
  injectors(): readonly K8sObject[];
  /** Has another resource looked at. */
  wake(key: string): void;
  /** What a resource means; may be answered from memory for an unchanged one. */
  plan(
    resource: K8sObject,
    facts: ClusterFacts,
    installedVersion: string | undefined,
  ): PlanResult | Promise<PlanResult>;
  /** Frees the memory of a plan. */
  readonly forgetPlan: (key: string) => void;
  /** The version that the live istiod of a resource says it is of, whoever installed it. */
  readonly labelledVersion: (key: string) => string | undefined;
  /** Who uses which control plane, counted not long ago. */
  dataPlane(signal: AbortSignal): Promise<DataPlane>;
  readonly settings: ReconcileSettings;
}

/** One resource, looked at once. */
export interface Visit {
  readonly key: string;
  /** As it was when the visit began. */
  readonly resource: K8sObject;
  readonly writer: StatusWriter;
  readonly signal: AbortSignal;
  /** Told of every change as it happens, so that none is forgotten when the visit ends in an error. */
  changed(change: Change): void;
}

/** Replaces the resource's finalizers and lets the writer know what was stored. Throws ClusterError. */
export async function storeFinalizers(
  { resources }: ReconcileDeps,
  { writer, signal }: Visit,
  finalizers: readonly string[],
): Promise<void> {
  const { resource } = writer;
  const options = { signal, resourceVersion: resourceVersionOf(resource) };
  writer.noteStored(await resources.setFinalizers(refOf(resource), finalizers, options));
}

/** How the engine is told that it may not write what an administrator applies. */
export function hardening({ settings }: ReconcileDeps): { readonly hardened: boolean } {
  return { hardened: settings.hardened ?? false };
}

/** Whose installation it is, as the labels of the installed objects have it. */
export function ownerOf({ resource }: Visit): Owner {
  return { name: resource.metadata.name, namespace: namespaceOf(resource) ?? '' };
}
