/**
 * What is the matter with injection around a control plane whose plan was applied, and which objects a revision tag has.
 * Pure. How a tag moves: `core/objects/beside-injectors.ts` from the revision without a name, `claims.ts` from one
 * resource to another.
 */
import {
  DEFAULT_REVISION,
  isActive,
  isInjector,
  isUnnamed,
  overlap,
  revisionOfInjector,
  tagOf,
  targetOfInjector,
} from '../core/objects/injectors.ts';
import { listAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import type { Contested, InjectionFault } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';

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

const TAG_SERVICE = 'istiod-revision-tag-';
const TAG_WEBHOOK = 'istio-revision-tag-';

/** Whether an object could stand for a revision tag, by its kind and name. */
export function isForTag({ kind, name }: ObjectRef): boolean {
  if (kind === 'Service') return name.startsWith(TAG_SERVICE);
  return kind === 'MutatingWebhookConfiguration' && name.startsWith(TAG_WEBHOOK);
}

/** Tells whether the specification of a resource asks for an object that stands for a revision tag or for the default. */
export function asksFor(resource: K8sObject, ref: ObjectRef): boolean {
  if (!isForTag(ref)) return false;
  const { kind, name } = ref;
  const spec = listAt(resource, 'spec', 'values', 'revisionTags').filter((tag) => typeof tag === 'string');
  if (kind === 'Service') return spec.some((tag) => name === `${TAG_SERVICE}${tag}`);
  return spec.some((tag) => name === `${TAG_WEBHOOK}${tag}` || name.startsWith(`${TAG_WEBHOOK}${tag}-`));
}
