/** Makes the namespaces that a plan needs. */
import { isClusterError } from '../model/cluster-error.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, namespaceOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { isBeingDeleted } from './deletion-state.ts';
import type { Failure } from './failure.ts';
import { failureOf } from './failure.ts';
import { mapParallel } from './parallel.ts';
import type { Run } from './run.ts';
import { CALLS_AT_ONCE } from './run.ts';

/**
 * Creates what is missing; the control plane's namespace gets the plan's labels. Namespaces that exist are not touched,
 * and none is ever deleted: other things live there too. Gives, by name, why a namespace can't take objects.
 */
export async function ensureNamespaces(run: Run, plan: Plan): Promise<ReadonlyMap<string, Failure>> {
  const names = neededNamespaces(plan);
  const failures = await mapParallel(names, CALLS_AT_ONCE, (name) => ensureNamespace(run, plan, name));
  return new Map(
    failures.flatMap((failure) => (failure === undefined ? [] : [[failure.ref.name, failure] as const])),
  );
}

/** Namespaces of the plan's objects, less those that the plan itself renders. */
export function neededNamespaces(plan: Plan): readonly string[] {
  const objects = objectsOf(plan);
  const rendered = new Set(objects.filter(isNamespace).map((object) => object.metadata.name));
  const used = new Set(objects.map(namespaceOf).filter((name) => name !== undefined));
  return [...used].filter((name) => !rendered.has(name)).toSorted();
}

async function ensureNamespace(run: Run, plan: Plan, name: string): Promise<Failure | undefined> {
  const ref: ObjectRef = { apiVersion: 'v1', kind: 'Namespace', name };
  try {
    const live = await run.cluster.get(ref, { signal: run.signal });
    if (live !== undefined) return isLeaving(live) ? leaving(ref) : undefined;
    const labels = name === plan.namespace ? plan.namespaceLabels : {};
    const metadata = Object.keys(labels).length === 0 ? { name } : { name, labels };
    await run.cluster.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata },
      { signal: run.signal, force: true },
    );
    return undefined;
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return failureOf(error, ref);
  }
}

function leaving(ref: ObjectRef): Failure {
  const message = `${displayRef(ref)}: it is being deleted, so nothing can be made in it. Wait until it is gone; then it is made anew.`;
  return { ref, message, retryable: true };
}

function isLeaving(namespace: K8sObject): boolean {
  return isBeingDeleted(namespace);
}

function isNamespace(object: K8sObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Namespace';
}
