/** Makes the namespaces that a plan needs. */
import { isClusterError } from '../model/cluster-error.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, namespaceOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { isBeingDeleted } from './deletion-state.ts';
import type { Failure } from './failure.ts';
import { failureOf } from './failure.ts';
import type { Run } from './run.ts';

/** Makes sure of a namespace; gives why it can't take objects, if so. Each one is looked at once in a run. */
export type EnsureNamespace = (name: string) => Promise<Failure | undefined>;

/**
 * Creates namespaces that are missing; the control plane's gets the plan's labels. Namespaces that exist are not touched,
 * and none is ever deleted: other things live there too. To be called only before something is created, so that nothing
 * is read at rest: where objects are, there is a namespace.
 */
export function namespaceKeeper(run: Run, plan: Plan): EnsureNamespace {
  const rendered = renderedNamespaces(plan);
  const looked = new Map<string, Promise<Failure | undefined>>();
  return async (name) => {
    if (rendered.has(name)) return undefined;
    const look = looked.get(name) ?? ensureNamespace(run, plan, name);
    looked.set(name, look);
    return look;
  };
}

/** Namespaces of the plan's objects, less those that the plan itself renders. */
export function neededNamespaces(plan: Plan): readonly string[] {
  const rendered = renderedNamespaces(plan);
  const used = new Set(objectsOf(plan).flatMap((object) => namespaceOf(object) ?? []));
  return [...used].filter((name) => !rendered.has(name)).toSorted();
}

function renderedNamespaces(plan: Plan): ReadonlySet<string> {
  return new Set(
    objectsOf(plan)
      .filter(isNamespace)
      .map(({ metadata }) => metadata.name),
  );
}

async function ensureNamespace(run: Run, plan: Plan, name: string): Promise<Failure | undefined> {
  const ref: ObjectRef = { apiVersion: 'v1', kind: 'Namespace', name };
  try {
    const live = await run.cluster.get(ref, { signal: run.signal });
    if (live !== undefined) return isBeingDeleted(live) ? leaving(ref) : undefined;
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
  const cause = 'it is being deleted, so nothing can be made in it';
  return {
    ref,
    message: `${displayRef(ref)}: ${cause}. Wait until it is gone; then it is made anew.`,
    retryable: true,
    cause: 'object',
  };
}

function isNamespace(object: K8sObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Namespace';
}
