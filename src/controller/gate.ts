/** Decides what is to be done with a resource at all, before anything is planned. Pure. */
import type { K8sObject } from '../model/object.ts';
import { hasFinalizer } from './finalizer.ts';
import { deletionTimeMs, isDryRun, isOrphanedOnDeletion, isPaused, revisionOf } from './resource.ts';

export type Gate =
  | { readonly kind: 'install' }
  | { readonly kind: 'uninstall' }
  /** The resource is deleted, and what it installed is to stay. */
  | { readonly kind: 'letGo' }
  /** The resource is being deleted and we have no hold on it any more. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'ignored'; readonly revision: string };

/**
 * An operator that has no revision serves every resource, as upstream's did; one that has a revision, which may be
 * `default` for the one without a name, leaves all others alone, also when they are deleted: their own operator knows what they installed.
 *
 * A resource that is deleted while it is paused, or only to be planned, lets go and leaves everything: the finalizer must
 * not hang, and "hands off" must not end in the removal of a mesh. One that requires approval is deleted like any other:
 * whoever deletes it has decided.
 */
export function gateOf(resource: K8sObject, operatorRevision: string): Gate {
  const isDeleted = deletionTimeMs(resource) !== undefined;
  const revision = revisionOf(resource);
  if (isDeleted && !hasFinalizer(resource)) return { kind: 'gone' };
  const served = operatorRevision === 'default' ? '' : operatorRevision;
  if (operatorRevision !== '' && served !== revision) return { kind: 'ignored', revision };
  if (isDeleted) return { kind: isLeftOnDeletion(resource) ? 'letGo' : 'uninstall' };
  return { kind: isPaused(resource) ? 'paused' : 'install' };
}

function isLeftOnDeletion(resource: K8sObject): boolean {
  return isPaused(resource) || isDryRun(resource) || isOrphanedOnDeletion(resource);
}
