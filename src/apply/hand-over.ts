/**
 * Ends the joint ownership of fields with installers that no longer look after an object. Server-side apply with the same
 * value makes two owners of a field: when we drop it later, it would stay, because the installer still wants it.
 */
import type { JsonArray, JsonObject } from '../model/json.ts';
import { isJsonObject, jsonEqual, listAt, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { isReplacedManager } from './hands-off.ts';
import { appliedFields, childKeys, FIELD_MANAGER } from './managed-fields.ts';

/**
 * The managed fields of a live object with the fields that we apply left to us alone; undefined when they are already.
 * Fields that only an installer owns stay its own, so that nothing of the object changes.
 */
export function handedOver(live: K8sObject, manager = FIELD_MANAGER): JsonArray | undefined {
  const ours = appliedFields(live, manager);
  if (ours === undefined) return undefined;
  const before = listAt(live, 'metadata', 'managedFields');
  const after = before.flatMap((entry) => {
    if (!isJsonObject(entry) || !isInstallers(entry, manager)) return [entry];
    const left = subtract(mapAt(entry, 'fieldsV1'), ours.fields);
    return childKeys(left).length === 0 ? [] : [{ ...entry, fieldsV1: left }];
  });
  return jsonEqual(before, after) ? undefined : after;
}

function isInstallers(entry: JsonObject, manager: string): boolean {
  const name = stringAt(entry, 'manager') ?? '';
  const isOurs = name === manager && entry['operation'] === 'Apply';
  return !isOurs && isReplacedManager(name) && (stringAt(entry, 'subresource') ?? '') === '';
}

/** The fields of the first set that are not in the second; an item that is left without fields goes. */
function subtract(theirs: JsonObject, ours: JsonObject): JsonObject {
  const left = childKeys(theirs).flatMap((key) => {
    const child = mapAt(theirs, key);
    if (!Object.hasOwn(ours, key)) return [[key, child] as const];
    const own = mapAt(ours, key);
    // We own it as a whole, or both do as far as they say.
    if (childKeys(own).length === 0) return [];
    if (childKeys(child).length === 0) return [[key, child] as const];
    const rest = subtract(child, own);
    return childKeys(rest).length === 0 ? [] : [[key, rest] as const];
  });
  return Object.fromEntries(left);
}
