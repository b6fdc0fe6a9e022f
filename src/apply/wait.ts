/** Waits until applied objects work. */
import { isClusterError } from '../model/cluster-error.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf, uidOf } from '../model/object.ts';
import type { NotReady } from '../model/report.ts';
import { CALLS_AT_ONCE, pollUntil } from './run.ts';
import type { BoundedRun } from './run.ts';
import { mapParallel } from './parallel.ts';
import type { Readiness } from './readiness.ts';
import { readinessOf } from './readiness.ts';

/**
 * Waits until all are ready, one has given up, or the deadline has passed; gives those that are not ready, and why.
 * What is ready as given costs no call.
 */
export async function waitUntilReady(
  run: BoundedRun,
  objects: readonly K8sObject[],
): Promise<readonly NotReady[]> {
  let pending = objects.map((object) => ({ object, readiness: readinessOf(object) })).filter(isPending);
  const isOver = (): boolean =>
    pending.length === 0 || pending.some(({ readiness }) => readiness.kind === 'failed');
  await pollUntil(run, async () => {
    pending = (await mapParallel(pending, CALLS_AT_ONCE, (item) => look(run, item))).filter(isPending);
    return isOver() ? true : undefined;
  });
  return pending.map(notReady);
}

/** Waits until an object is gone or another one has its name. False when the deadline passed first. */
export async function waitUntilGone(run: BoundedRun, object: K8sObject): Promise<boolean> {
  const gone = await pollUntil(run, async () => {
    const live = await run.cluster.get(refOf(object), { signal: run.signal });
    return live === undefined || uidOf(live) !== uidOf(object) ? true : undefined;
  });
  return gone === true;
}

interface Looked<R extends Readiness = Readiness> {
  readonly object: K8sObject;
  readonly readiness: R;
}

type Unready = Exclude<Readiness, { readonly kind: 'ready' }>;

/** A call that fails while we wait is not the object's fault: we look again until the deadline. */
async function look(run: BoundedRun, { object }: Looked): Promise<Looked> {
  try {
    const live = await run.cluster.get(refOf(object), { signal: run.signal });
    if (live === undefined)
      return { object, readiness: { kind: 'failed', reason: 'it was deleted meanwhile' } };
    return { object: live, readiness: readinessOf(live) };
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return { object, readiness: { kind: 'waiting', reason: `it can't be read: ${error.message}` } };
  }
}

function isPending(looked: Looked): looked is Looked<Unready> {
  return looked.readiness.kind !== 'ready';
}

function notReady({ object, readiness }: Looked<Unready>): NotReady {
  const isRefused = readiness.kind === 'waiting' && readiness.refused === true;
  return { ref: refOf(object), reason: readiness.reason, ...(isRefused ? { refused: true } : {}) };
}
