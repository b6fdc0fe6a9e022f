/** Our hold on a resource: it stays until what it installed is deleted. */
import type { K8sObject } from '../model/object.ts';
import { finalizersOf } from './resource.ts';

/** Upstream's name, so that resources that the old operator left behind are let go by us. */
export const FINALIZER = 'istio-finalizer.install.istio.io';

export function hasFinalizer(resource: K8sObject): boolean {
  return finalizersOf(resource).includes(FINALIZER);
}

/** The finalizers with ours; those of others stay in their order. */
export function finalizersWithOurs(resource: K8sObject): readonly string[] {
  return hasFinalizer(resource) ? finalizersOf(resource) : [...finalizersOf(resource), FINALIZER];
}

export function finalizersWithoutOurs(resource: K8sObject): readonly string[] {
  return finalizersOf(resource).filter((finalizer) => finalizer !== FINALIZER);
}
