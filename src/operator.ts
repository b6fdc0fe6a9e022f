/** Puts the in-cluster operator together: the only place where its adapters meet. */
import { applyPlan } from './apply/apply-plan.ts';
import { deleteInstallation } from './apply/delete-installation.ts';
import { previewPlan } from './apply/preview-plan.ts';
import { withCache } from './cluster/cached-cluster.ts';
import { createCluster } from './cluster/cluster.ts';
import type { Discovery } from './cluster/discovery.ts';
import type { Transport, WriteFence } from './cluster/transport.ts';
import { createWatches } from './cluster/watches.ts';
import type { Controller, ControllerSettings } from './controller/controller.ts';
import { createController } from './controller/controller.ts';
import type { ControllerMetrics } from './controller/metrics.ts';
import type { PlanFor } from './controller/plan-memory.ts';
import { requestedProfiles } from './core/own-profiles.ts';
import { weightOf } from './core/spec/weight.ts';
import type { Clock } from './model/clock.ts';
import type { Logger } from './model/logger.ts';
import { objectsOf } from './model/plan.ts';
import type { FindProfiles } from './mounted-profiles.ts';
import type { GuardedPlanner } from './planner/guarded-planner.ts';
import { createTurns } from './turns.ts';

export interface ControllerParts {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly planner: GuardedPlanner;
  readonly findProfiles: FindProfiles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly instance: string;
  readonly settings: ControllerSettings;
  /** Keeps a replica that lost the lease from writing. */
  readonly fence?: WriteFence;
}

/**
 * How much work planning is, in objects that are compared with the cluster. What is heavy is planned elsewhere, but packed
 * here.
 */
const PLANNING_SIZES = { light: 30, heavy: 500 } as const;

/** A controller with watches of its own: it starts from what the cluster says, each time. */
export function assembleController(parts: ControllerParts): Controller {
  const { transport, discovery, fence } = parts;
  const watches = createWatches(parts);
  const cluster = createCluster({
    transport,
    discovery,
    observer: watches,
    ...(fence === undefined ? {} : { fence }),
  });
  const cached = withCache(cluster, watches);
  parts.metrics.watching(() => watches.ages());
  const turn = createTurns();
  const planFor = planForResource(parts);
  return createController({
    ...parts,
    watch: watches,
    resources: cached,
    cluster: cached,
    // To plan, and to compare what is installed with a plan, takes some ten milliseconds each; of several resources side
    // by side that would be one long turn, and the lease and everybody else would wait.
    engine: {
      apply: async (deps, plan, settings) =>
        turn(objectsOf(plan).length).then(async () => applyPlan(deps, plan, settings)),
      delete: deleteInstallation,
      preview: async (deps, plan, settings) =>
        turn(objectsOf(plan).length).then(async () => previewPlan(deps, plan, settings)),
    },
    planFor: async (spec, ...others) =>
      turn(PLANNING_SIZES[weightOf(spec)]).then(() => planFor(spec, ...others)),
  });
}

function planForResource({ planner, findProfiles }: ControllerParts): PlanFor {
  return (spec, owner, facts, context) => {
    const layers = [{ spec, source: `IstioOperator ${owner.namespace}/${owner.name}` }];
    const request = requestedProfiles(layers);
    const ownProfiles = request && findProfiles(request);
    return planner({
      layers,
      owner,
      facts,
      ...context,
      ...(ownProfiles === undefined ? {} : { ownProfiles }),
    });
  };
}
