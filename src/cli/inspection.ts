/** Looks at every object of an installation. */
import { mapParallel } from '../apply/parallel.ts';
import { readinessOf } from '../apply/readiness.ts';
import { CALLS_AT_ONCE } from '../apply/run.ts';
import { stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, labelsOf } from '../model/object.ts';
import type { CommandCluster } from './environment.ts';

export interface InspectedObject {
  readonly ref: ObjectRef;
  /** As its label says it; `Unknown` for what is not there to say it. */
  readonly component: string;
  readonly state: 'ready' | 'not ready' | 'missing';
  /** Why it is not ready, without full stop; empty for what is. */
  readonly reason: string;
  /** RFC 3339; empty for what is missing. */
  readonly createdAt: string;
}

/** One entry for each reference, in their order. Throws ClusterError. */
export async function inspect(
  cluster: CommandCluster,
  refs: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<readonly InspectedObject[]> {
  return mapParallel(refs, CALLS_AT_ONCE, async (ref) => inspected(ref, await cluster.get(ref, { signal })));
}

function inspected(
  { apiVersion, kind, namespace, name }: ObjectRef,
  live: K8sObject | undefined,
): InspectedObject {
  const ref = namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, namespace, name };
  if (live === undefined) {
    return { ref, component: 'Unknown', state: 'missing', reason: 'it is not there', createdAt: '' };
  }
  const readiness = readinessOf(live);
  return {
    ref,
    component: labelsOf(live)['operator.istio.io/component'] ?? 'Unknown',
    state: readiness.kind === 'ready' ? 'ready' : 'not ready',
    reason: readiness.kind === 'ready' ? '' : readiness.reason,
    createdAt: stringAt(live, 'metadata', 'creationTimestamp') ?? '',
  };
}

/** `Deployment istio-system/istiod: 0 of 1 pods are available`. */
export function describeTrouble({ ref, reason }: InspectedObject): string {
  return `${displayRef(ref)}: ${reason}`;
}
