/** Tells by kind whether a live object works, from its own status alone. */
import type { JsonObject } from '../model/json.ts';
import { at, listAt, mapAt, numberAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { groupOf } from '../model/object.ts';

export type Readiness =
  | { readonly kind: 'ready' }
  /** Not yet; the reason is one sentence without full stop. `refused` as in NotReady. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly refused?: true }
  /** It has given up; waiting longer is of no use. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Kinds that are not in the table are ready as soon as they are stored. That includes a Service of type LoadBalancer:
 * its address comes from outside of the cluster and may never come.
 */
export function readinessOf(object: K8sObject): Readiness {
  if (at(object, 'metadata', 'deletionTimestamp') !== undefined) return waiting('it is being deleted');
  const kind = `${groupOf(object.apiVersion)}/${object.kind}`;
  const check = Object.hasOwn(CHECKS, kind) ? CHECKS[kind] : undefined;
  return check === undefined ? READY : check(object);
}

const READY: Readiness = { kind: 'ready' };

const CHECKS: Readonly<Record<string, (object: K8sObject) => Readiness>> = {
  'apps/Deployment': deploymentReadiness,
  'apps/DaemonSet': daemonSetReadiness,
  'apps/StatefulSet': statefulSetReadiness,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionReadiness,
  '/Namespace': namespaceReadiness,
  '/PersistentVolumeClaim': claimReadiness,
  'batch/Job': jobReadiness,
};

/** A Deployment that is scaled to zero is ready: nobody asked for pods. */
function deploymentReadiness(object: K8sObject): Readiness {
  const stalled = conditionOf(object, 'Progressing');
  if (isUnobserved(object)) return waiting('its latest change is not processed yet');
  if (stringAt(stalled, 'reason') === 'ProgressDeadlineExceeded') return failed(messageOf(stalled));

  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const total = count(object, 'replicas');
  const updated = count(object, 'updatedReplicas');
  const available = count(object, 'availableReplicas');
  if (updated < wanted) return missingPods(object, `${updated} of ${wanted} pods are up to date`);
  if (total > updated) return waiting(`${total - updated} old pods are still running`);
  if (available < updated) return missingPods(object, `${available} of ${wanted} pods are available`);
  return READY;
}

/** A DaemonSet without a matching node is ready. With OnDelete, pods are replaced when their owner says so. */
function daemonSetReadiness(object: K8sObject): Readiness {
  if (isUnobserved(object)) return waiting('its latest change is not processed yet');
  const wanted = count(object, 'desiredNumberScheduled');
  const updated = count(object, 'updatedNumberScheduled');
  const available = count(object, 'numberAvailable');
  if (stringAt(object, 'spec', 'updateStrategy', 'type') !== 'OnDelete' && updated < wanted) {
    return waiting(`${updated} of ${wanted} pods are up to date`);
  }
  return available < wanted ? waiting(`${available} of ${wanted} pods are available`) : READY;
}

function statefulSetReadiness(object: K8sObject): Readiness {
  if (isUnobserved(object)) return waiting('its latest change is not processed yet');
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const toUpdate = stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete' ? 0 : wanted - partition;
  const updated = count(object, 'updatedReplicas');
  const available = count(object, 'readyReplicas');
  if (updated < toUpdate) return waiting(`${updated} of ${toUpdate} pods are up to date`);
  return available < wanted ? waiting(`${available} of ${wanted} pods are ready`) : READY;
}

function definitionReadiness(object: K8sObject): Readiness {
  const names = conditionOf(object, 'NamesAccepted');
  if (stringAt(names, 'status') === 'False') return failed(messageOf(names));
  return isTrue(conditionOf(object, 'Established')) ? READY : waiting('it is not served yet');
}

function namespaceReadiness(object: K8sObject): Readiness {
  return stringAt(object, 'status', 'phase') === 'Active' ? READY : waiting('it is not active yet');
}

/** A claim may stay unbound until a pod wants it, so only a lost one is a fault. */
function claimReadiness(object: K8sObject): Readiness {
  return stringAt(object, 'status', 'phase') === 'Lost' ? failed('its volume is lost') : READY;
}

function jobReadiness(object: K8sObject): Readiness {
  const failure = conditionOf(object, 'Failed');
  if (isTrue(failure)) return failed(messageOf(failure));
  if (at(object, 'spec', 'suspend') === true || isTrue(conditionOf(object, 'Complete'))) return READY;
  return waiting('it has not completed yet');
}

/** Its controller has not looked at the latest change yet. */
export function isUnobserved(object: K8sObject): boolean {
  const generation = numberAt(object, 'metadata', 'generation') ?? 0;
  return (numberAt(object, 'status', 'observedGeneration') ?? 0) < generation;
}

/** Adds why no pods can be made, such as an exhausted quota. */
function missingPods(object: K8sObject, reason: string): Readiness {
  const failure = conditionOf(object, 'ReplicaFailure');
  return isTrue(failure)
    ? { kind: 'waiting', reason: `${reason}: ${messageOf(failure)}`, refused: true }
    : waiting(reason);
}

function conditionOf(object: K8sObject, type: string): JsonObject {
  const found = listAt(object, 'status', 'conditions').find(
    (condition) => stringAt(condition, 'type') === type,
  );
  return mapAt(found);
}

function isTrue(condition: JsonObject): boolean {
  return condition['status'] === 'True';
}

function messageOf(condition: JsonObject): string {
  const message = stringAt(condition, 'message') ?? stringAt(condition, 'reason') ?? 'no reason is given';
  return message.replace(/\.$/, '');
}

function count(object: K8sObject, field: string): number {
  return numberAt(object, 'status', field) ?? 0;
}

function waiting(reason: string): Readiness {
  return { kind: 'waiting', reason };
}

function failed(reason: string): Readiness {
  return { kind: 'failed', reason };
}
