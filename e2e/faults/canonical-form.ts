/** Objects without what the API server and other controllers choose anew each time: equal work gives equal bytes. */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { isJsonArray, isJsonObject, mapAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';

/** The field manager of tests that take back what they did: that it was there is no difference. */
export const PASSER_BY = 'passer-by';

/**
 * Labels, other annotations, finalizers, owner references and the managers with their fields stay. `isScaled`: an
 * autoscaler scales it, so that it depends on the past whether we go on applying the number of replicas that is there.
 */
export function canonicalForm(object: K8sObject, isScaled = false): JsonObject {
  const { metadata, spec, status, ...rest } = object;
  const passing = isScaled ? new Set([...ASSIGNED_FIELDS, 'f:replicas']) : ASSIGNED_FIELDS;
  return {
    ...rest,
    metadata: canonicalMetadata(metadata, passing),
    ...(spec === undefined ? {} : { spec: withoutKeys(spec, ASSIGNED_SPEC) }),
    // The status of an IstioOperator is the operator's own statement; that of all others is other controllers'.
    ...(object.kind === 'IstioOperator' ? { status: withoutKeys(status ?? {}, MOMENTARY) } : {}),
  };
}

/** One text for equal trees: keys in order, two spaces deep. */
export function canonicalText(value: JsonValue): string {
  return JSON.stringify(value, inKeyOrder, 2);
}

const ASSIGNED_METADATA: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'annotations',
]);
const ASSIGNED_SPEC: ReadonlySet<string> = new Set([
  'clusterIP',
  'clusterIPs',
  'nodePort',
  'healthCheckNodePort',
]);
const MOMENTARY: ReadonlySet<string> = new Set(['uid', 'lastTransitionTime', 'observedGeneration']);
const ROLLOUT_COUNT = 'deployment.kubernetes.io/revision';

function canonicalMetadata(metadata: JsonObject, passing: ReadonlySet<string>): JsonObject {
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !ASSIGNED_METADATA.has(key)));
  const { [ROLLOUT_COUNT]: _count, ...annotations } = mapAt(metadata, 'annotations');
  return { ...kept, annotations, managedFields: managersOf(metadata['managedFields'], passing) };
}

/** Who manages which fields. Statuses are left out, as are times and the versions of the API that were used. */
function managersOf(entries: JsonValue | undefined, passing: ReadonlySet<string>): readonly JsonObject[] {
  const managers = (isJsonArray(entries) ? entries : []).filter(isJsonObject);
  return managers
    .filter(({ subresource, manager }) => subresource === undefined && manager !== PASSER_BY)
    .map(({ manager = '', operation = '', fieldsV1 = {} }) => ({
      manager,
      operation,
      fieldsV1: withoutKeys(fieldsV1, passing),
    }))
    .toSorted((left, right) => (canonicalText(left) < canonicalText(right) ? -1 : 1));
}

/** Of the field sets: a manager of the rollout count alone. */
const ASSIGNED_FIELDS: ReadonlySet<string> = new Set([`f:${ROLLOUT_COUNT}`]);

function withoutKeys(value: JsonValue, dropped: ReadonlySet<string>): JsonValue {
  if (isJsonArray(value)) return value.map((item) => withoutKeys(item, dropped));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !dropped.has(key))
      .map(([key, inner]) => [key, withoutKeys(inner, dropped)]),
  );
}

function inKeyOrder(_key: string, value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
