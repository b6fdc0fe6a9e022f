/**
 * Kubernetes' strategic merge patch, for the parts of objects that `k8s` settings change: maps merge, null deletes,
 * lists of the kinds below merge by a key, all other lists are replaced.
 */
import type { JsonArray, JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonArray, isJsonObject } from '../../model/json.ts';

/** Lists that merge, by the name of their field, with the key that identifies an element. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
};

/** `ports` is the one name that means two things: containers key them by number, Services by port. */
function mergeKeyOf(field: string, items: JsonArray): string | undefined {
  if (field === 'ports')
    return items.some((item) => isJsonObject(item) && 'containerPort' in item) ? 'containerPort' : 'port';
  return Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field] : undefined;
}

/** Lays a patch over an object. Neither is changed. */
export function strategicMerge(original: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(original));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergeField(key, merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function mergeField(field: string, original: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (isJsonObject(patch)) return strategicMerge(isJsonObject(original) ? original : {}, patch);
  if (isJsonArray(patch) && isJsonArray(original)) {
    const key = mergeKeyOf(field, [...original, ...patch]);
    return key === undefined ? patch : mergeList(original, patch, key);
  }
  return patch;
}

/**
 * Elements of both sides merge. Those of the patch keep its order; each of the others stands before the first of them
 * that it stood before, else at the end: new elements come first, as kubectl and upstream have it.
 */
function mergeList(original: JsonArray, patch: JsonArray, key: string): JsonArray {
  const isPatched = (item: JsonValue): boolean => patch.some((other) => sameKey(item, other, key));
  const untouched = original
    .map((item, position) => ({ item, position }))
    .filter(({ item }) => !isPatched(item));
  const patched = patch.map((item) => {
    const position = original.findIndex((other) => sameKey(item, other, key));
    const below = original[position];
    const merged = isJsonObject(below) && isJsonObject(item) ? strategicMerge(below, item) : item;
    return { item: merged, position };
  });
  return interleaved(patched, untouched);
}

interface Placed {
  readonly item: JsonValue;
  /** In the original; -1 for new elements. */
  readonly position: number;
}

function interleaved(patched: readonly Placed[], untouched: readonly Placed[]): JsonArray {
  const result: JsonValue[] = [];
  let rest = untouched;
  for (const { item, position } of patched) {
    const before = rest.filter((other) => other.position < position);
    rest = rest.filter((other) => other.position >= position);
    result.push(...before.map((other) => other.item), item);
  }
  return [...result, ...rest.map((other) => other.item)];
}

function sameKey(left: JsonValue, right: JsonValue, key: string): boolean {
  return isJsonObject(left) && isJsonObject(right) && left[key] !== undefined && left[key] === right[key];
}
