/** One reconcile: from a resource to an outcome. */
import { isClusterError } from '../model/cluster-error.ts';
import { assertNever } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Outcome, Problem } from '../model/outcome.ts';
import type { Change } from '../model/report.ts';
import { gateOf } from './gate.ts';
import { install } from './install.ts';
import { generationOf, storedStatus } from './resource.ts';
import { suspend } from './survey.ts';
import { letGo, uninstall } from './uninstall.ts';
import type { ReconcileDeps, Visit } from './visit.ts';

/** How long another operator has to report on a resource that is not ours, before we say that we ignore it. */
const ATTENTION_GRACE_MS = 3_000;

/**
 * Brings the cluster a step closer to what the resource says. Never waits long for anything to become ready: what is
 * waited for triggers the next reconcile, so a change of the resource never queues behind a rollout that hangs, and
 * hanging rollouts hold no worker. Never throws: whatever happens is an outcome.
 */
export async function reconcile(deps: ReconcileDeps, visit: Visit): Promise<Outcome> {
  const changes: Change[] = [];
  const remembering: Visit = {
    ...visit,
    changed: (change) => {
      changes.push(change);
      visit.changed(change);
    },
  };
  try {
    return await act(deps, remembering);
  } catch (error) {
    if (visit.signal.aborted) return { kind: 'stopped', changes };
    if (isGone(error, visit.resource)) return { kind: 'absent' };
    return { kind: 'interrupted', problem: problemOf(error), changes };
  }
}

/** The watch may show a resource for a moment after its last finalizer went, and the resource with it. */
function isGone(error: unknown, resource: K8sObject): boolean {
  if (!isClusterError(error, 'absent') || error.ref === undefined) return false;
  return identityOf(error.ref) === identityOf(refOf(resource));
}

async function act(deps: ReconcileDeps, visit: Visit): Promise<Outcome> {
  const gate = gateOf(visit.resource, deps.settings.revision);
  switch (gate.kind) {
    case 'install':
      return install(deps, visit);
    case 'uninstall':
      return uninstall(deps, visit);
    case 'letGo':
      return letGo(deps, visit);
    case 'gone':
      return { kind: 'absent' };
    case 'paused':
      suspend(deps, visit);
      return { kind: 'paused' };
    case 'ignored':
      suspend(deps, visit);
      return ignored(deps, visit, gate.revision);
    default:
      return assertNever(gate);
  }
}

/**
 * Two operators may watch the same resource, and only one may write its status. So the one that does not serve it
 * speaks up only when nobody else has reported on the present generation for a while.
 */
function ignored(
  { clock, patience, settings }: ReconcileDeps,
  { key, resource }: Visit,
  revision: string,
): Outcome {
  const base = { kind: 'ignored', revision, operatorRevision: settings.revision } as const;
  const generation = generationOf(resource);
  if (storedStatus(resource)?.observedGeneration === generation) return { ...base, attention: 'attended' };
  const subject = `attention for generation ${generation}`;
  const waitedMs = patience.waitedMs(key, subject, { nowMs: clock.nowMs(), isOver: false });
  return { ...base, attention: waitedMs < ATTENTION_GRACE_MS ? 'awaited' : 'none' };
}

function problemOf(error: unknown): Problem {
  if (isClusterError(error)) return { kind: error.kind, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'internal', message: `The operator failed: ${message}; please report this with its log` };
}
