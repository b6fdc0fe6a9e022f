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

interface Known {
  readonly facts: ClusterFacts;
  readonly atMs: number;
}

/**
 * The returned function answers from memory for a while, and also when it cannot ask: a version hardly ever changes.
 * It throws ClusterError when it never had an answer.
 */
export function createFacts(deps: FactsDeps): (signal: AbortSignal) => Promise<ClusterFacts> {
  let known: Known | undefined;
  return async (signal) => {
    if (known === undefined || deps.clock.nowMs() - known.atMs >= FRESH_MS)
      known = await ask(deps, known, signal);
    return known.facts;
  };
}

async function ask(
  { resources, clock }: FactsDeps,
  known: Known | undefined,
  signal: AbortSignal,
): Promise<Known> {
  try {
    const facts = { kubernetesVersion: await resources.serverVersion({ signal }) };
    // The same facts stay the same object, so that plans that were made of them stay valid.
    const isSame = known?.facts.kubernetesVersion === facts.kubernetesVersion;
    return { facts: isSame ? known.facts : facts, atMs: clock.nowMs() };
  } catch (error) {
    if (known === undefined) throw error;
    return known;
  }
}
