/** Deleting single objects and waiting until they are gone, for what stands in no inventory. */
import { whyNotGone } from '../apply/deletion-state.ts';
import { listAt, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, uidOf } from '../model/object.ts';
import { failure } from './command-error.ts';
import type { CommandEnvironment, Connection } from './environment.ts';

const POLL_MS = 250;

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
  { clock, signal }: CommandEnvironment,
  { cluster }: Connection,
  refs: readonly ObjectRef[],
  { timeoutMs }: Patience,
): Promise<void> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  for (const ref of refs) {
    for (;;) {
      const live = await cluster.get(ref, { signal });
      if (live === undefined) break;
      if (clock.nowMs() >= deadlineMs || signal.aborted) throw notGone(ref, live);
      await clock.sleep(POLL_MS, signal);
    }
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
