/** Deleting single objects and waiting until they are gone, for what stands in no inventory. */
import { whyNotGone } from '../apply/deletion-state.ts';
import { isClusterError } from '../model/cluster-error.ts';
import { listAt, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, uidOf } from '../model/object.ts';
import { failure } from './command-error.ts';
import type { CommandCluster, CommandEnvironment, Connection } from './environment.ts';

const POLL_MS = 250;

type WaitingCluster = Pick<CommandCluster, 'get' | 'patchMetadata'>;

export interface Patience {
  readonly timeoutMs: number;
}

/** Asks for the deletion of one object. True when it was there. */
export async function deleteObject(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
  ref: ObjectRef,
): Promise<boolean> {
  const live = await cluster.get(ref, { signal });
  if (live === undefined) return false;
  const uid = uidOf(live);
  return (await cluster.delete(ref, { signal, ...(uid === undefined ? {} : { uid }) })) === 'accepted';
}

/** Resolves when none of the objects is there any more. Throws a CommandError that names one that stays. */
export async function waitUntilAllGone(
  { clock, signal }: Pick<CommandEnvironment, 'clock' | 'signal'>,
  { cluster }: { readonly cluster: WaitingCluster },
  refs: readonly ObjectRef[],
  { timeoutMs }: Patience,
): Promise<void> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  for (const ref of refs) {
    let nudgeAtMs = clock.nowMs() + NUDGE_INTERVAL_MS;
    for (;;) {
      const live = await cluster.get(ref, { signal });
      if (live === undefined) break;
      if (clock.nowMs() >= deadlineMs || signal.aborted) throw notGone(ref, live);
      if (isForgotten(live) && clock.nowMs() >= nudgeAtMs) {
        nudgeAtMs = clock.nowMs() + NUDGE_INTERVAL_MS;
        await nudge(cluster, ref, { value: String(nudgeAtMs), signal });
      }
      await clock.sleep(POLL_MS, signal);
    }
  }
}

const NUDGE_INTERVAL_MS = 5_000;
const NUDGED = 'install.istio.io/deletion-nudged';

/**
 * The API server deletes the objects of a definition first. When that fails, for instance because their storage is just
 * being set up ("storage is (re)initializing"), its controller may wait for a change of the definition that nobody makes,
 * for hours: it does not count its own condition as one.
 */
function isForgotten(live: K8sObject): boolean {
  if (live.kind !== 'CustomResourceDefinition') return false;
  return listAt(live, 'status', 'conditions').some(
    (condition) =>
      stringAt(condition, 'type') === 'Terminating' &&
      stringAt(condition, 'reason') === 'InstanceDeletionFailed',
  );
}

/** Any change makes the controller look again. */
async function nudge(
  cluster: WaitingCluster,
  ref: ObjectRef,
  { value, signal }: { readonly value: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await cluster.patchMetadata(ref, { annotations: { [NUDGED]: value } }, { signal });
  } catch (error) {
    if (!isClusterError(error, 'absent')) throw error;
  }
}

function notGone(ref: ObjectRef, live: K8sObject): Error {
  return failure(
    'notGone',
    [`${displayRef(ref)}: ${whyNotGone(live)}`, ...obstacles(live)].join('; '),
    'See who has to remove its finalizers, and run the command again.',
  );
}

/** Conditions by which a kind says what keeps it from going; `any` for kinds that have no others. */
const OBSTACLES: Readonly<Record<string, string>> = {
  Namespace: 'any',
  CustomResourceDefinition: 'Terminating',
};

function obstacles(live: K8sObject): readonly string[] {
  const type = OBSTACLES[live.kind];
  if (type === undefined) return [];
  return listAt(live, 'status', 'conditions')
    .filter((condition) => type === 'any' || stringAt(condition, 'type') === type)
    .filter((condition) => stringAt(condition, 'status') === 'True')
    .map((condition) => (stringAt(condition, 'message') ?? '').replace(/\.$/u, ''));
}
