/** Finds out whether a HorizontalPodAutoscaler, ours or a user's, sets the replicas of a workload. */
import { at, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { groupOf, identityOf, namespaceOf, refOf } from '../model/object.ts';
import { FIELD_MANAGER, otherOwners } from './managed-fields.ts';
import type { Run } from './run.ts';

const AUTOSCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };

const SCALED_KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet']);

/** The only controller that scales, under the manager name of the process that it runs in. */
const SCALING_MANAGER = 'kube-controller-manager';

export interface Autoscalers {
  /** In the plan. */
  readonly planned: readonly K8sObject[];
  /** Ours, no longer in the plan and about to be pruned: they have no say any more. */
  isLeaving(ref: ObjectRef): boolean;
}

export function plannedAutoscalers(objects: readonly K8sObject[]): readonly K8sObject[] {
  return objects.filter(isAutoscaler);
}

/** Asks the cluster only when the live replicas were set by autoscaling and no planned autoscaler explains it. */
export async function isAutoscaled(
  run: Run,
  pair: { readonly workload: K8sObject; readonly live: K8sObject },
  autoscalers: Autoscalers,
): Promise<boolean> {
  const { workload, live } = pair;
  if (!SCALED_KINDS.has(workload.kind)) return false;
  if (autoscalers.planned.some((autoscaler) => targets(autoscaler, workload))) return true;
  if (at(workload, 'spec', 'replicas') === undefined || !wasScaled(live)) return false;
  const present = await run.cluster.list(AUTOSCALER, {
    signal: run.signal,
    namespace: namespaceOf(workload) ?? '',
  });
  return present.some(
    (autoscaler) => targets(autoscaler, workload) && !autoscalers.isLeaving(refOf(autoscaler)),
  );
}

/**
 * A workload as it is made: where an autoscaler of the plan is to scale it, not with no replicas at all, from which it
 * would never be scaled up. So a new installation is what a running one becomes, whose replicas are left alone.
 */
export function startingForm(workload: K8sObject, { planned }: Autoscalers): K8sObject {
  if (!SCALED_KINDS.has(workload.kind) || at(workload, 'spec', 'replicas') !== 0) return workload;
  if (!planned.some((autoscaler) => targets(autoscaler, workload))) return workload;
  const { replicas: _none, ...spec } = mapAt(workload, 'spec');
  return { ...workload, spec };
}

function wasScaled(live: K8sObject): boolean {
  return otherOwners(live, FIELD_MANAGER, ['f:spec', 'f:replicas']).includes(SCALING_MANAGER);
}

function isAutoscaler(object: K8sObject): boolean {
  return object.kind === AUTOSCALER.kind && groupOf(object.apiVersion) === groupOf(AUTOSCALER.apiVersion);
}

function targets(autoscaler: K8sObject, workload: K8sObject): boolean {
  const target = mapAt(autoscaler, 'spec', 'scaleTargetRef');
  const targeted = {
    apiVersion: stringAt(target, 'apiVersion') ?? workload.apiVersion,
    kind: stringAt(target, 'kind') ?? '',
    name: stringAt(target, 'name') ?? '',
    namespace: namespaceOf(autoscaler) ?? '',
  };
  return identityOf(targeted) === identityOf(refOf(workload));
}
