/**
 * Keeps one injector for each pod where several control planes stand side by side. The plan of a resource knows nothing
 * of the others; here it meets the injection webhooks that the cluster has. Pure.
 *
 * The default moves without a moment in which two control planes inject into a pod, or none does. A tag webhook that is
 * to take over from the injector of the revision without a name is first made to call that injector's istiod: both
 * match now, with the same result. Then the injector is deactivated by whoever keeps it; then the tag webhook is switched
 * to its own istiod, by one write. From one resource to another a tag moves by one write too: see Claims.
 */
import {
  authorityOf,
  callingAs,
  deactivated,
  DEFAULT_REVISION,
  isActive,
  isInjector,
  overlap,
  revisionOfInjector,
  tagOf,
  targetOfInjector,
  withAuthority,
} from '../core/objects/injectors.ts';
import { listAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import type { Contested, InjectionFault } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';

/** The plan as it can be applied beside the injectors that the cluster has now. */
export function besideInjectors(plan: Plan, live: readonly K8sObject[]): Plan {
  const settled = (object: K8sObject): K8sObject => (isInjector(object) ? settle(object, live) : object);
  const components = plan.components.map((planned) => ({
    ...planned,
    objects: planned.objects.map(settled),
  }));
  return { ...plan, components };
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

/** The injector of the revision without a name. */
function isUnnamed(injector: K8sObject): boolean {
  return tagOf(injector) === undefined && revisionOfInjector(injector) === DEFAULT_REVISION;
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

/** What is wrong with injection around a plan that was applied; `live` are all injectors of the cluster. */
export function injectionFaults(
  plan: Plan,
  live: readonly K8sObject[],
  heldTags: readonly Contested[],
): readonly InjectionFault[] {
  const planned = new Set(
    objectsOf(plan)
      .filter(isInjector)
      .map(({ metadata }) => metadata.name),
  );
  const mine = live.filter(({ metadata }) => planned.has(metadata.name));
  if (planned.size === 0 && heldTags.length === 0) return [];
  return [
    ...heldTags.filter(({ ref }) => ref.kind === 'MutatingWebhookConfiguration').map(heldFault),
    ...objectsOf(plan)
      .filter(isInjector)
      .flatMap((injector) => movingFaults(injector, live)),
    ...mine.flatMap((injector) => overlapFaults(injector, live)),
    ...live.filter((injector) => isDangling(injector, live)).map(danglingFault),
  ];
}

function heldFault({ ref, holder }: Contested): InjectionFault {
  return {
    reason: 'TagHeld',
    message: `${ref.name} is held by ${holder}. Take the tag out of values.revisionTags there, and it moves here in one step.`,
  };
}

function movingFaults(injector: K8sObject, live: readonly K8sObject[]): readonly InjectionFault[] {
  const predecessor =
    tagOf(injector) === undefined ? undefined : live.find((other) => isUnnamed(other) && isActive(other));
  const applied = live.find(({ metadata }) => metadata.name === injector.metadata.name);
  if (predecessor === undefined || applied === undefined || tagOf(applied) !== DEFAULT_REVISION) return [];
  if (targetOfInjector(applied) !== targetOfInjector(predecessor)) return [];
  if (revisionOfInjector(injector) === DEFAULT_REVISION) return [];
  return [
    {
      reason: 'TagMoving',
      message: `${injector.metadata.name} calls ${targetOfInjector(predecessor)} until ${predecessor.metadata.name} is deactivated. If nobody keeps that webhook any more, delete it.`,
    },
  ];
}

function overlapFaults(injector: K8sObject, live: readonly K8sObject[]): readonly InjectionFault[] {
  return live
    .filter((other) => other.metadata.name !== injector.metadata.name && overlap(injector, other))
    .map((other) => ({
      reason: 'OverlappingInjectors',
      message: `${injector.metadata.name} and ${other.metadata.name} inject into the same pods (IST0139). Remove one of them, or move the tag.`,
    }));
}

/** A tag whose control plane is gone: its pods are refused. Whom a URL reaches cannot be told. */
function isDangling(injector: K8sObject, live: readonly K8sObject[]): boolean {
  const target = targetOfInjector(injector);
  if (tagOf(injector) === undefined || target.includes('://') || target === '/') return false;
  return !live.some((other) => tagOf(other) === undefined && targetOfInjector(other) === target);
}

function danglingFault(injector: K8sObject): InjectionFault {
  return {
    reason: 'DanglingTag',
    message: `Tag "${tagOf(injector) ?? ''}" points to ${targetOfInjector(injector)}, which no revision serves: pods that name it are refused. Move it with "istio-operator tag set --overwrite", or remove it.`,
  };
}

/** Tells whether the specification of a resource asks for an object that stands for a revision tag or for the default. */
export function asksFor(resource: K8sObject, { kind, name }: ObjectRef): boolean {
  const spec = listAt(resource, 'spec', 'values', 'revisionTags').filter((tag) => typeof tag === 'string');
  if (kind === 'Service') return spec.some((tag) => name === `istiod-revision-tag-${tag}`);
  if (kind !== 'MutatingWebhookConfiguration') return false;
  return spec.some(
    (tag) => name === `istio-revision-tag-${tag}` || name.startsWith(`istio-revision-tag-${tag}-`),
  );
}
