/**
 * Keeps one injector for each pod where several control planes stand side by side. A plan knows nothing of the other
 * control planes; here it meets the injection webhooks that the cluster has.
 *
 * The default moves without a moment in which two control planes inject into a pod, or none does. A tag webhook that is
 * to take over from the injector of the revision without a name is first made to call that injector's istiod: both
 * match now, with the same result. Then the injector is deactivated by whoever keeps it; then the tag webhook is switched
 * to its own istiod, by one write.
 */
import type { K8sObject } from '../../model/object.ts';
import type { Plan } from '../../model/plan.ts';
import { objectsOf } from '../../model/plan.ts';
import {
  authorityOf,
  callingAs,
  deactivated,
  DEFAULT_REVISION,
  isActive,
  isInjector,
  isUnnamed,
  overlap,
  tagOf,
  targetOfInjector,
  withAuthority,
} from './injectors.ts';

/** The plan as it can be applied beside the injectors that the cluster has now. */
export function besideInjectors(plan: Plan, live: readonly K8sObject[]): Plan {
  const settled = (object: K8sObject): K8sObject => (isInjector(object) ? settle(object, live) : object);
  const components = plan.components.map((planned) => ({
    ...planned,
    objects: planned.objects.map(settled),
  }));
  return { ...plan, components };
}

/**
 * The plan as it stands in the end where no other control plane is: what its own webhooks make of each other. For
 * whoever applies it without seeing the cluster.
 */
export function besideOwnInjectors(plan: Plan): Plan {
  const underWay = besideInjectors(plan, injectorsOf(plan));
  return besideInjectors(plan, injectorsOf(underWay));
}

function injectorsOf(plan: Plan): readonly K8sObject[] {
  return objectsOf(plan).filter(isInjector);
}

function settle(injector: K8sObject, live: readonly K8sObject[]): K8sObject {
  if (isUnnamed(injector)) return live.some(servesDefault) ? deactivated(injector) : injector;
  if (tagOf(injector) === undefined) return injector;
  const predecessor = predecessorOf(injector, live);
  if (predecessor !== undefined) return callingAs(injector, predecessor);
  // A webhook without the authority of its istiod refuses pods, and istiod needs a moment to write it.
  const canonical = live.find((other) => isOwnWebhookOf(other, injector));
  const present = live.find(({ metadata }) => metadata.name === injector.metadata.name);
  return withAuthority(injector, authorityOf(canonical) ?? authorityOf(present));
}

function servesDefault(injector: K8sObject): boolean {
  return tagOf(injector) === DEFAULT_REVISION && isActive(injector);
}

/** The injector whose pods a tag webhook is about to take over. */
function predecessorOf(tag: K8sObject, live: readonly K8sObject[]): K8sObject | undefined {
  return live.find((other) => isUnnamed(other) && overlap(tag, other));
}

function isOwnWebhookOf(other: K8sObject, tag: K8sObject): boolean {
  return tagOf(other) === undefined && targetOfInjector(other) === targetOfInjector(tag);
}
