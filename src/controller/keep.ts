/** What must stay in the cluster although its resource goes, or does not ask for it any more. */
import type { K8sObject, ObjectRef } from '../model/object.ts';
import type { HeirRules } from './claims.ts';
import { gateOf } from './gate.ts';
import { asksFor, isForTag } from './injection.ts';
import { deletionTimeMs, isPaused, storedStatus } from './resource.ts';
import type { ReconcileDeps, Visit } from './visit.ts';

export type KeepDeps = Pick<ReconcileDeps, 'claims' | 'keys' | 'find' | 'settings'>;

export type Keep = (ref: ObjectRef) => boolean;

/** Objects that another resource takes over, which is promised to it. */
export function keepFor(deps: KeepDeps, { key }: Pick<Visit, 'key'>): Keep {
  const rules = heirRules(deps);
  return (ref) => deps.claims.bequeath(key, ref, rules) || isTagElsewhere(deps, ref);
}

/** The same where nothing is let go of, and so nothing promised. */
export function keepInPreview(deps: KeepDeps, { key }: Pick<Visit, 'key'>): Keep {
  const rules = heirRules(deps);
  return (ref) => deps.claims.heirs(key, ref, rules).length > 0 || isTagElsewhere(deps, ref);
}

function heirRules({ find }: KeepDeps): HeirRules {
  return {
    isStaying: (key) => isStaying(find(key)),
    isInstalled: (key) => {
      const found = find(key);
      return isStaying(found) && (storedStatus(found)?.inventory ?? []).length > 0;
    },
    isAtWork: (key) => {
      const found = find(key);
      return isStaying(found) && !isPaused(found);
    },
  };
}

function isStaying(resource: K8sObject | undefined): resource is K8sObject {
  return resource !== undefined && deletionTimeMs(resource) === undefined;
}

/** Whether a resource that another operator serves asks for a revision tag: of those there are no claims. */
function isTagElsewhere({ keys, find, settings }: KeepDeps, ref: ObjectRef): boolean {
  if (!isForTag(ref)) return false;
  return keys().some((key) => {
    const resource = find(key);
    if (!isStaying(resource) || gateOf(resource, settings.revision).kind !== 'ignored') return false;
    return asksFor(resource, ref);
  });
}
