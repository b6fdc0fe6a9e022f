/** Differences of JSON trees as a JSON patch (RFC 6902). */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, jsonEqual } from '../model/json.ts';

export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string };

/** What makes the first tree equal to the second. A list whose length changes is replaced as a whole. */
export function jsonPatch(before: JsonValue, after: JsonValue, path = ''): readonly PatchOperation[] {
  if (jsonEqual(before, after)) return [];
  if (isJsonObject(before) && isJsonObject(after)) return mapPatch(before, after, path);
  if (isJsonArray(before) && isJsonArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => jsonPatch(item, after[index] ?? null, `${path}/${index}`));
  }
  return [{ op: 'replace', path, value: after }];
}

function mapPatch(before: JsonObject, after: JsonObject, path: string): readonly PatchOperation[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return keys.flatMap((key): readonly PatchOperation[] => {
    const place = `${path}/${escaped(key)}`;
    const [left, right] = [before[key], after[key]];
    if (right === undefined) return [{ op: 'remove', path: place }];
    if (left === undefined) return [{ op: 'add', path: place, value: right }];
    return jsonPatch(left, right, place);
  });
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
