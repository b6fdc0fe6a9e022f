/** Facts about the cluster that planning depends on, asked for seldom. */
import type { Clock } from '../model/clock.ts';
import type { ClusterFacts } from '../model/plan.ts';
import type { ResourcePort } from './watch.port.ts';

/** A cluster is upgraded seldom, and the resync comes about as often. */
const FRESH_MS = 600_000;

export interface FactsDeps {
  readonly resources: Pick<ResourcePort, 'serverVersion'>;
  readonly clock: Clock;
}

/** The returned function answers from memory for a while; it throws ClusterError when it has to ask and cannot. */
export function createFacts({ resources, clock }: FactsDeps): (signal: AbortSignal) => Promise<ClusterFacts> {
  let known: { readonly facts: ClusterFacts; readonly atMs: number } | undefined;
  return async (signal) => {
    if (known !== undefined && clock.nowMs() - known.atMs < FRESH_MS) return known.facts;
    const facts = { kubernetesVersion: await resources.serverVersion({ signal }) };
    known = { facts, atMs: clock.nowMs() };
    return facts;
  };
}
