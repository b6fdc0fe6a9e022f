/** Fields of our objects that others rightly change: the table that says which, when, and why. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject, listAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { FIELD_MANAGER, findItem, isApplied, keyOfItem, otherOwners } from './managed-fields.ts';

/** What is known about a field when its row is asked. */
interface Situation {
  readonly desired: JsonValue | undefined;
  readonly live: JsonValue;
  /** Managers beside us that own the live field and that we don't replace. */
  readonly others: readonly string[];
  /** Whether a HorizontalPodAutoscaler sets the replicas of this object. */
  readonly autoscaled: boolean;
}

/** A field name, or the items of a list that is keyed by these fields. */
export type Step = string | { readonly itemsBy: readonly string[] };

interface HandsOff {
  readonly kinds: readonly string[];
  readonly path: readonly Step[];
  /** True: the live value stays. */
  readonly when: (situation: Situation) => boolean;
  readonly why: string;
}

export const HANDS_OFF: readonly HandsOff[] = [
  {
    kinds: ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
    path: ['webhooks', { itemsBy: ['name'] }, 'clientConfig', 'caBundle'],
    when: ({ desired, others }) => desired !== undefined && (isUnset(desired) || others.length > 0),
    why: 'istiod puts its own certificate authority here and renews it',
  },
  {
    kinds: ['ValidatingWebhookConfiguration'],
    path: ['webhooks', { itemsBy: ['name'] }, 'failurePolicy'],
    when: ({ desired, live, others }) => desired !== undefined && live === 'Fail' && others.length > 0,
    why: 'istiod turns Ignore into Fail as soon as it can validate; turning it back would let bad configuration in',
  },
  {
    kinds: ['Deployment', 'StatefulSet'],
    path: ['spec', 'replicas'],
    when: ({ autoscaled, live }) => autoscaled && live !== 0,
    why: 'a HorizontalPodAutoscaler scales the workload, but never up from none; dropping the field instead would scale it to one',
  },
  {
    kinds: ['Service'],
    path: ['spec', 'ports', { itemsBy: ['port', 'protocol'] }, 'nodePort'],
    when: ({ desired }) => isUnset(desired),
    why: 'the API server allocates it, and load balancers outside of the cluster are set up for it',
  },
  {
    kinds: ['Service'],
    path: ['spec', 'healthCheckNodePort'],
    when: ({ desired }) => isUnset(desired),
    why: 'the API server allocates it, and load balancers outside of the cluster are set up for it',
  },
  {
    kinds: ['Service'],
    path: ['spec', 'clusterIP'],
    when: ({ desired }) => isUnset(desired),
    why: 'the API server allocates it and refuses to change it',
  },
  {
    kinds: ['ServiceAccount'],
    path: ['imagePullSecrets'],
    when: ({ desired, live, others }) => others.length > 0 && holdsAll(live, desired),
    why: 'platforms add the pull secrets of their registries to this list, which has one owner as a whole',
  },
];

/**
 * Managers whose fields we take over: people and installers at work on the objects that we now look after. All others
 * are controllers.
 */
const REPLACED_MANAGERS = /^(kubectl|helm|istioctl|istio-operator|operator$|manager$)/i;

/** Whether a manager, by its name, is an installer or a person, whose fields we take over, and no controller. */
export function isReplacedManager(manager: string): boolean {
  return REPLACED_MANAGERS.test(manager);
}

/**
 * Takes the fields that are left to others out of what is applied. Where such a field is still ours, the live value is
 * applied instead, because a field that its only owner drops goes back to its default.
 */
export function leaveToOthers(
  desired: K8sObject,
  live: K8sObject,
  circumstances: { readonly autoscaled: boolean; readonly manager?: string },
): K8sObject {
  const manager = circumstances.manager ?? FIELD_MANAGER;
  const rows = HANDS_OFF.filter(({ kinds }) => kinds.includes(desired.kind));
  return rows.reduce<K8sObject>((object, row) => {
    const context: Context = { row, subject: live, manager, autoscaled: circumstances.autoscaled };
    return settle({ desired: object, live, path: [] }, row.path, context) as K8sObject; // identity is in no row
  }, desired);
}

interface Context {
  readonly row: HandsOff;
  readonly subject: K8sObject;
  readonly manager: string;
  readonly autoscaled: boolean;
}

interface Field {
  readonly desired: JsonValue | undefined;
  readonly live: JsonValue | undefined;
  /** In keys of FieldsV1. */
  readonly path: readonly string[];
}

function settle(field: Field, steps: readonly Step[], context: Context): JsonValue | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return settleValue(field, context);
  if (typeof step === 'string') return settleMember(field, step, (inner) => settle(inner, rest, context));
  return settleItems(field, step.itemsBy, (inner) => settle(inner, rest, context));
}

function settleValue({ desired, live, path }: Field, context: Context): JsonValue | undefined {
  if (live === undefined) return desired;
  const owners = otherOwners(context.subject, context.manager, path);
  const others = owners.filter((owner) => !isReplacedManager(owner));
  if (!context.row.when({ desired, live, others, autoscaled: context.autoscaled })) return desired;
  return isApplied(context.subject, context.manager, path) ? live : undefined;
}

function settleMember(
  field: Field,
  name: string,
  settleInner: (inner: Field) => JsonValue | undefined,
): JsonValue | undefined {
  const { desired, live, path } = field;
  if (!isJsonObject(desired)) return desired;
  const before = desired[name];
  const after = settleInner({ desired: before, live: at(live, name), path: [...path, `f:${name}`] });
  if (after === before) return desired;
  return after === undefined ? without(desired, name) : { ...desired, [name]: after };
}

function settleItems(
  field: Field,
  itemsBy: readonly string[],
  settleInner: (inner: Field) => JsonValue | undefined,
): JsonValue | undefined {
  const { desired, live, path } = field;
  if (!isJsonArray(desired)) return desired;
  const liveItems = isJsonArray(live) ? live : [];
  return desired.map((item) => {
    const key = keyOfItem(item, itemsBy);
    return settleInner({ desired: item, live: findItem(liveItems, key), path: [...path, key] }) ?? item;
  });
}

function without(map: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([field]) => field !== name));
}

/** Given, but without a meaning: the API server chooses. */
function isUnset(value: JsonValue | undefined): boolean {
  return value === '' || value === 0;
}

function holdsAll(live: JsonValue, desired: JsonValue | undefined): boolean {
  const present = new Set((isJsonArray(live) ? live : []).map((item) => at(item, 'name')));
  return isJsonArray(desired) && listAt(desired).every((item) => present.has(at(item, 'name')));
}
