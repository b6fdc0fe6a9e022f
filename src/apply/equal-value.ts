/**
 * Tells whether the API server would store one value as another. It respells quantities, drops what is empty and fills
 * in defaults, so that what was applied is seldom byte for byte what is stored.
 */
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual } from '../model/json.ts';
import { sameQuantity } from './quantity.ts';

/** `unsure`: the server may or may not take the two for equal; only a dry run can tell. */
export type Likeness = 'equal' | 'different' | 'unsure';

/** Where in an object a value stands: its kind and the names of the fields that lead to it, lists left out. */
export interface Position {
  readonly kind: string;
  readonly trail: readonly string[];
}

/**
 * Compares a field that was applied as a whole (a scalar, a list or a map without fields of its own) with the live
 * value. An empty value equals an absent one, because the server drops it.
 */
export function likeness(desired: JsonValue, live: JsonValue | undefined, position: Position): Likeness {
  if (live === undefined) return isEmptyValue(desired) ? 'equal' : 'different';
  if (isJsonObject(desired) && Object.keys(desired).length === 0) return likenessOfEmptyMap(live);
  return compareValues(desired, live, position);
}

type PathPattern = readonly string[];

const POD_QUANTITIES: readonly PathPattern[] = [
  ['resources', 'limits', '*'],
  ['resources', 'requests', '*'],
  ['emptyDir', 'sizeLimit'],
  ['resourceFieldRef', 'divisor'],
  ['overhead', '*'],
];

/** Fields that hold quantities, as the ends of trails by kind. */
const QUANTITIES: Readonly<Record<string, readonly PathPattern[]>> = {
  Deployment: POD_QUANTITIES,
  DaemonSet: POD_QUANTITIES,
  StatefulSet: POD_QUANTITIES,
  ReplicaSet: POD_QUANTITIES,
  Job: POD_QUANTITIES,
  CronJob: POD_QUANTITIES,
  Pod: POD_QUANTITIES,
  PersistentVolumeClaim: [
    ['resources', 'limits', '*'],
    ['resources', 'requests', '*'],
  ],
  ResourceQuota: [['spec', 'hard', '*']],
  LimitRange: ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'].map((bound) => [
    'spec',
    'limits',
    bound,
    '*',
  ]),
  HorizontalPodAutoscaler: [
    ['target', 'value'],
    ['target', 'averageValue'],
  ],
};

/** Fields that hold base64; the server decodes and encodes them again. */
const BASE64: Readonly<Record<string, readonly PathPattern[]>> = {
  Secret: [['data', '*']],
  ConfigMap: [['binaryData', '*']],
  MutatingWebhookConfiguration: [['clientConfig', 'caBundle']],
  ValidatingWebhookConfiguration: [['clientConfig', 'caBundle']],
};

/** Defaults inside of values that are applied as a whole, as parent field, field and default. */
const DEFAULTS: readonly (readonly [parent: string, field: string, value: JsonValue])[] = [
  ['fieldRef', 'apiVersion', 'v1'],
  ['resourceFieldRef', 'divisor', '0'],
  ['serviceAccountToken', 'expirationSeconds', 3600],
  ['rules', 'scope', '*'],
  ['resourceRules', 'scope', '*'],
  ['ports', 'protocol', 'TCP'],
  ['endpoints', 'conditions', {}],
  ['matchConstraints', 'matchPolicy', 'Equivalent'],
  ['matchConstraints', 'namespaceSelector', {}],
  ['matchConstraints', 'objectSelector', {}],
];

function likenessOfEmptyMap(live: JsonValue): Likeness {
  if (!isJsonObject(live)) return 'different';
  // Whether others may have put something beside an empty map depends on its type, which the field set doesn't show.
  return Object.keys(live).length === 0 ? 'equal' : 'unsure';
}

function compareValues(desired: JsonValue, live: JsonValue, position: Position): Likeness {
  if (jsonEqual(desired, live)) return 'equal';
  if (isJsonArray(desired) && isJsonArray(live)) return compareLists(desired, live, position);
  if (isJsonObject(desired) && isJsonObject(live)) return compareMaps(desired, live, position);
  if (isAt(position, QUANTITIES)) return sameQuantity(desired, live) ? 'equal' : 'different';
  if (isAt(position, BASE64)) return sameBase64(desired, live) ? 'equal' : 'different';
  return 'different';
}

function compareLists(desired: JsonArray, live: JsonArray, position: Position): Likeness {
  if (desired.length !== live.length) return 'different';
  return worst(desired.map((item, index) => compareItem(item, live[index], position)));
}

function compareItem(desired: JsonValue, live: JsonValue | undefined, position: Position): Likeness {
  return live === undefined ? 'different' : compareValues(desired, live, position);
}

function compareMaps(desired: JsonObject, live: JsonObject, position: Position): Likeness {
  const wanted = Object.entries(desired).map(([field, value]) =>
    compareField(value, live[field], { kind: position.kind, trail: [...position.trail, field] }),
  );
  const parent = position.trail.at(-1);
  const extra = Object.entries(live)
    .filter(([field]) => !Object.hasOwn(desired, field))
    .map(([field, value]): Likeness => (isDefault(parent, field, value) ? 'equal' : 'unsure'));
  return worst([...wanted, ...extra]);
}

function compareField(desired: JsonValue, live: JsonValue | undefined, position: Position): Likeness {
  if (live !== undefined) return compareValues(desired, live, position);
  // Here it isn't known who wrote what: `false` may differ from nothing.
  return isEmptyValue(desired) ? 'unsure' : 'different';
}

function isDefault(parent: string | undefined, field: string, value: JsonValue): boolean {
  return DEFAULTS.some((row) => row[0] === parent && row[1] === field && jsonEqual(row[2], value));
}

function isAt(position: Position, table: Readonly<Record<string, readonly PathPattern[]>>): boolean {
  if (!Object.hasOwn(table, position.kind)) return false;
  return (table[position.kind] ?? []).some((pattern) => endsWith(position.trail, pattern));
}

function endsWith(trail: readonly string[], pattern: PathPattern): boolean {
  const end = trail.slice(-pattern.length);
  return end.length === pattern.length && pattern.every((step, index) => step === '*' || step === end[index]);
}

function isEmptyValue(value: JsonValue): boolean {
  if (isJsonArray(value)) return value.length === 0;
  if (isJsonObject(value)) return Object.values(value).every(isEmptyValue);
  return value === null || value === false || value === 0 || value === '';
}

function sameBase64(desired: JsonValue, live: JsonValue): boolean {
  if (typeof desired !== 'string' || typeof live !== 'string') return false;
  return desired.replaceAll(/\s/g, '') === live.replaceAll(/\s/g, '');
}

function worst(likenesses: readonly Likeness[]): Likeness {
  if (likenesses.includes('different')) return 'different';
  return likenesses.includes('unsure') ? 'unsure' : 'equal';
}
