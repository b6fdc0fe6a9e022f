/** The IstioOperator as the controller reads it: keys, gates and the status that is stored in it. */
import { RELEASE_LINE_ANNOTATION } from '../core/release-choice.ts';
import { VERSION_SKIP_ANNOTATION } from '../core/upgrade.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject, listAt, mapAt, numberAt, stringAt } from '../model/json.ts';
import { readInventory } from '../apply/inventory.ts';
import { APPROVED_PLAN_ANNOTATION } from '../apply/plan-hash.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { annotationsOf, namespaceOf, uidOf } from '../model/object.ts';
import type {
  ComponentStatus,
  Condition,
  ConditionType,
  DataPlane,
  LegacyStatus,
  OperatorStatus,
} from '../model/status.ts';

export const ISTIO_OPERATOR: GroupVersionKind = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
};

/** Upstream's: the operator keeps its hands off the resource while the value is "true". */
const PAUSE_ANNOTATION = 'install.istio.io/ignoreReconcile';

/** `Orphan` leaves everything that was installed when the resource is deleted. */
const DELETION_POLICY_ANNOTATION = 'install.istio.io/deletion-policy';

/** The user's word that a control plane may go although pods use it. */
const FORCE_REMOVAL_ANNOTATION = 'install.istio.io/force-removal';

/** Asks for `status.dataPlane`. */
const DATA_PLANE_ANNOTATION = 'install.istio.io/data-plane';
/** Only plans while the value is "true". */
const DRY_RUN_ANNOTATION = 'install.istio.io/dry-run';

/** Applies nothing that was not approved while the value is "true". */
const REQUIRE_APPROVAL_ANNOTATION = 'install.istio.io/require-approval';

/** Names a resource in queues and logs. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function keyOfResource(resource: K8sObject): string {
  return keyOf(namespaceOf(resource) ?? '', resource.metadata.name);
}

export function refOfKey(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return { ...ISTIO_OPERATOR, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Counts the changes of the specification, from 1. */
export function generationOf(resource: K8sObject): number {
  return numberAt(resource, 'metadata', 'generation') ?? 0;
}

export function resourceVersionOf(resource: K8sObject): string {
  return stringAt(resource, 'metadata', 'resourceVersion') ?? '';
}

/** When deletion was asked for, in milliseconds; undefined for a resource that is to stay. */
export function deletionTimeMs(resource: K8sObject): number | undefined {
  const time = stringAt(resource, 'metadata', 'deletionTimestamp');
  return time === undefined ? undefined : Date.parse(time);
}

export function finalizersOf(resource: K8sObject): readonly string[] {
  return listAt(resource, 'metadata', 'finalizers').filter((entry) => typeof entry === 'string');
}

/** Tells whether the status shall say which control planes the pods of the cluster use. */
export function isDataPlaneAsked(resource: K8sObject): boolean {
  return annotationsOf(resource)[DATA_PLANE_ANNOTATION] === 'true';
}

/** Tells whether a control plane may be deleted although pods use it. */
export function isRemovalForced(resource: K8sObject): boolean {
  return annotationsOf(resource)[FORCE_REMOVAL_ANNOTATION] === 'true';
}

export function isPaused(resource: K8sObject): boolean {
  return annotationsOf(resource)[PAUSE_ANNOTATION] === 'true';
}

export function isDryRun(resource: K8sObject): boolean {
  return annotationsOf(resource)[DRY_RUN_ANNOTATION] === 'true';
}

export function requiresApproval(resource: K8sObject): boolean {
  return annotationsOf(resource)[REQUIRE_APPROVAL_ANNOTATION] === 'true';
}

/** The hash that a person approved; undefined when there is none. */
export function approvedPlanOf(resource: K8sObject): string | undefined {
  const hash = annotationsOf(resource)[APPROVED_PLAN_ANNOTATION]?.trim();
  return hash === '' ? undefined : hash;
}

export function isOrphanedOnDeletion(resource: K8sObject): boolean {
  return annotationsOf(resource)[DELETION_POLICY_ANNOTATION] === 'Orphan';
}

/** `spec.revision`; the default revision is the empty text, also when it is spelt out. */
export function revisionOf(resource: K8sObject): string {
  const revision = stringAt(resource, 'spec', 'revision') ?? '';
  return revision === 'default' ? '' : revision;
}

/**
 * The status that is stored in a resource. Anybody may have written it, an older operator too, so what is not as we
 * write it is left out: then generation 0 is what was observed.
 */
export function storedStatus(resource: K8sObject | undefined): OperatorStatus | undefined {
  const status = at(resource, 'status');
  if (!isJsonObject(status) || Object.keys(status).length === 0) return undefined;
  return {
    status: legacyStatus(status['status']),
    message: stringAt(status, 'message') ?? '',
    observedGeneration: numberAt(status, 'observedGeneration') ?? 0,
    ...presentTexts(status, ['profile', 'revision', 'version']),
    ...presentImages(status),
    componentStatus: componentStatuses(mapAt(status, 'componentStatus')),
    conditions: listAt(status, 'conditions').filter(isCondition),
    inventory: readInventory(status['inventory']),
    ...dataPlaneOf(status['dataPlane']),
    ...presentTexts(status, ['approvedContent']),
    ...pendingPlan(status['plan']),
  };
}

export function conditionOf(status: OperatorStatus | undefined, type: ConditionType): Condition | undefined {
  return status?.conditions.find((condition) => condition.type === type);
}

export function isReady(status: OperatorStatus | undefined): boolean {
  return conditionOf(status, 'Ready')?.status === 'True';
}

/**
 * Tells whether a change of a resource is worth a look: its specification, its deletion, our annotations, or a
 * finalizer or status that somebody removed. What we write into its status is not.
 */
export function asksForALook(old: K8sObject, now: K8sObject): boolean {
  return (
    uidOf(old) !== uidOf(now) ||
    generationOf(old) !== generationOf(now) ||
    deletionTimeMs(old) !== deletionTimeMs(now) ||
    OUR_ANNOTATIONS.some((name) => annotationsOf(old)[name] !== annotationsOf(now)[name]) ||
    finalizersOf(old).some((finalizer) => !finalizersOf(now).includes(finalizer)) ||
    (storedStatus(old) !== undefined && storedStatus(now) === undefined)
  );
}

const OUR_ANNOTATIONS = [
  PAUSE_ANNOTATION,
  DELETION_POLICY_ANNOTATION,
  FORCE_REMOVAL_ANNOTATION,
  DATA_PLANE_ANNOTATION,
  RELEASE_LINE_ANNOTATION,
  VERSION_SKIP_ANNOTATION,
  DRY_RUN_ANNOTATION,
  REQUIRE_APPROVAL_ANNOTATION,
  APPROVED_PLAN_ANNOTATION,
];

const LEGACY_STATUSES = [
  'NONE',
  'UPDATING',
  'RECONCILING',
  'HEALTHY',
  'ERROR',
  'ACTION_REQUIRED',
] as const satisfies readonly LegacyStatus[];

function legacyStatus(value: JsonValue | undefined): LegacyStatus {
  return LEGACY_STATUSES.find((known) => known === value) ?? 'NONE';
}

function presentTexts<Name extends string>(
  status: JsonObject,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const texts: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const text = stringAt(status, name);
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

function presentImages(status: JsonObject): Pick<OperatorStatus, 'images'> {
  const images = status['images'];
  if (images === undefined || !isJsonArray(images)) return {};
  return { images: images.filter((image) => typeof image === 'string') };
}

function componentStatuses(map: JsonObject): Readonly<Record<string, ComponentStatus>> {
  const entries = Object.entries(map).filter(([, entry]) => isJsonObject(entry));
  return Object.fromEntries(
    entries.map(([name, entry]) => [
      name,
      { status: legacyStatus(at(entry, 'status')), ...presentTexts(mapAt(entry), ['version', 'error']) },
    ]),
  );
}

/** What is stored is only kept until the next count, and compared with it; so its inside is believed. */
function dataPlaneOf(value: JsonValue | undefined): Pick<OperatorStatus, 'dataPlane'> {
  return isDataPlane(value) ? { dataPlane: value } : {};
}

function isDataPlane(value: JsonValue | undefined): value is JsonObject & DataPlane {
  return isJsonArray(at(value, 'revisions'));
}

function pendingPlan(plan: JsonValue | undefined): Pick<OperatorStatus, 'plan'> {
  const hash = stringAt(plan, 'hash');
  if (hash === undefined) return {};
  const count = (name: string): number => numberAt(plan, name) ?? 0;
  return {
    plan: {
      hash,
      create: count('create'),
      configure: count('configure'),
      prune: count('prune'),
      unchanged: count('unchanged'),
      refused: count('refused'),
      ...presentTexts(mapAt(plan), ['configMap', 'problem']),
    },
  };
}

function isCondition(value: JsonValue): value is JsonObject & Condition {
  const texts = ['type', 'status', 'reason', 'message', 'lastTransitionTime'];
  return (
    texts.every((name) => typeof at(value, name) === 'string') &&
    numberAt(value, 'observedGeneration') !== undefined
  );
}
