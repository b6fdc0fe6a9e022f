/** Counts the pods of every revision for `status.dataPlane`, seldom and without a watch. */
import { DataPlaneCounter, POD, RUNNING_PODS } from '../core/objects/data-plane.ts';
import type { Clock } from '../model/clock.ts';
import { isClusterError } from '../model/cluster-error.ts';
import type { DataPlane } from '../model/status.ts';
import type { ResourcePort } from './watch.port.ts';

/** Several resources that ask share one count. */
const FRESH_MS = 30_000;

export interface DataPlaneDeps {
  readonly resources: Pick<ResourcePort, 'scanMetadata'>;
  readonly clock: Clock;
}

/**
 * The returned function lists the metadata of all pods that run, unless it has done so within the last half minute. What
 * it could not find out is a message; it throws nothing but `cancelled`.
 */
export function createDataPlane(deps: DataPlaneDeps): (signal: AbortSignal) => Promise<DataPlane> {
  let known: { readonly dataPlane: DataPlane; readonly atMs: number } | undefined;
  return async (signal) => {
    if (known === undefined || deps.clock.nowMs() - known.atMs >= FRESH_MS)
      known = { dataPlane: await count(deps, signal), atMs: deps.clock.nowMs() };
    return known.dataPlane;
  };
}

async function count({ resources }: DataPlaneDeps, signal: AbortSignal): Promise<DataPlane> {
  const counter = new DataPlaneCounter();
  try {
    await resources.scanMetadata(POD, (pod) => counter.add(pod), { fieldSelector: RUNNING_PODS, signal });
    return counter.count();
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return { revisions: [], message: error.message };
  }
}
