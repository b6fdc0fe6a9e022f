/** Deleting a live object, and telling whether it is on its way out. */
import { at, listAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { uidOf } from '../model/object.ts';
import type { DeleteOptions } from './cluster.port.ts';

export function isBeingDeleted(live: K8sObject): boolean {
  return at(live, 'metadata', 'deletionTimestamp') !== undefined;
}

/** Deletes this very object, not one that has taken its name since it was read. */
export function deletionOf(live: K8sObject, signal: AbortSignal): DeleteOptions {
  const uid = uidOf(live);
  return uid === undefined ? { signal } : { signal, uid };
}

/** One sentence without full stop. */
export function whyNotGone(live: K8sObject): string {
  if (!isBeingDeleted(live)) return 'it is still there';
  const finalizers = listAt(live, 'metadata', 'finalizers').filter((name) => typeof name === 'string');
  if (finalizers.length === 0) return 'it is being deleted';
  return `it is being deleted and waits for the ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
}
