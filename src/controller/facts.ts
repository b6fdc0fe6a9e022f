/** Facts about the cluster that planning depends on, asked for seldom. */
import type { Clock } from '../model/clock.ts';
import type { ClusterFacts } from '../model/plan.ts';
import type { ResourcePort } from './watch.port.ts';

/** A cluster is upgraded seldom, and the resync comes about as often. */
const FRESH_MS = 600_000;

export interface FactsDeps {
  readonly resources: Pick<ResourcePort, 'serverVersion'>;
  readonly clock: Clock;
  /** See ClusterFacts; known by watches, so it is asked for each time. */
  readonly servedKinds: () => readonly string[];
}

interface KnownVersion {
  readonly version: string;
  readonly atMs: number;
}

/**
 * The returned function answers from memory for a while, and also when it cannot ask: a version hardly ever changes.
 * Equal facts are the same object, so that plans that were made of them stay valid. It throws ClusterError when it
 * never had an answer.
 */
export function createFacts(deps: FactsDeps): (signal: AbortSignal) => Promise<ClusterFacts> {
  let known: KnownVersion | undefined;
  let facts: ClusterFacts | undefined;
  return async (signal) => {
    if (known === undefined || deps.clock.nowMs() - known.atMs >= FRESH_MS)
      known = await ask(deps, known, signal);
    const now = { kubernetesVersion: known.version, servedKinds: deps.servedKinds() };
    if (facts === undefined || !isSame(facts, now)) facts = now;
    return facts;
  };
}

function isSame(before: ClusterFacts, now: ClusterFacts): boolean {
  return (
    before.kubernetesVersion === now.kubernetesVersion &&
    before.servedKinds?.join() === now.servedKinds?.join()
  );
}

async function ask(
  { resources, clock }: FactsDeps,
  known: KnownVersion | undefined,
  signal: AbortSignal,
): Promise<KnownVersion> {
  try {
    return { version: await resources.serverVersion({ signal }), atMs: clock.nowMs() };
  } catch (error) {
    if (known === undefined) throw error;
    return known;
  }
}
