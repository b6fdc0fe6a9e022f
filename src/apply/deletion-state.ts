/** Whether a live object is on its way out, and what it waits for. */
import { at, listAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';

export function isBeingDeleted(live: K8sObject): boolean {
  return at(live, 'metadata', 'deletionTimestamp') !== undefined;
}

/** One sentence without full stop. */
export function whyNotGone(live: K8sObject): string {
  if (!isBeingDeleted(live)) return 'it is still there';
  const finalizers = listAt(live, 'metadata', 'finalizers').filter((name) => typeof name === 'string');
  if (finalizers.length === 0) return 'it is being deleted';
  return `it is being deleted and waits for the ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
}
