/**
 * Gives up what the managers that we replace still own together with us. When helm and we both own a field, the API
 * server keeps it when we no longer want it; so their share ends with the adoption of the object.
 */
import type { JsonArray, JsonObject, JsonValue } from '../model/json.ts';
import { isJsonObject, listAt, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { isReplacedManager } from './hands-off.ts';
import { childKeys, FIELD_MANAGER, isApplyEntry, isFieldSet } from './managed-fields.ts';

/**
 * The `managedFields` of a live object without the fields that replaced managers own together with us; undefined when
 * there are none. Only what they wrote before our latest change counts: what somebody applies after us is theirs, and
 * taking that away each time would never end.
 */
export function managedFieldsWithoutReplaced(live: K8sObject): JsonArray | undefined {
  const entries = listAt(live, 'metadata', 'managedFields');
  const ours = entries.find((entry) => isApplyEntry(entry, FIELD_MANAGER));
  if (ours === undefined) return undefined;
  // The server sets no time when all values were there already, which is usual in an adoption.
  const appliedAt = stringAt(ours, 'time');
  const owned = mapAt(ours, 'fieldsV1');
  const remaining = entries.flatMap((entry) =>
    isOlderReplaced(entry, appliedAt) ? withoutFields(entry, owned) : [entry],
  );
  const isSame =
    remaining.length === entries.length && remaining.every((entry, index) => entry === entries[index]);
  return isSame ? undefined : remaining;
}

/** Times of the API are RFC 3339 in UTC and whole seconds, so they sort as texts. */
function isOlderReplaced(entry: JsonValue, appliedAt: string | undefined): boolean {
  const writtenAt = stringAt(entry, 'time');
  return (
    !isApplyEntry(entry, FIELD_MANAGER) &&
    (stringAt(entry, 'subresource') ?? '') === '' &&
    isReplacedManager(stringAt(entry, 'manager') ?? '') &&
    writtenAt !== undefined &&
    (appliedAt === undefined || writtenAt <= appliedAt)
  );
}

/** An entry of managedFields without these fields: itself when it has none of them, nothing when it has no others. */
export function withoutFields(entry: JsonValue, fields: JsonObject): readonly JsonValue[] {
  if (!isJsonObject(entry)) return [entry];
  const before = mapAt(entry, 'fieldsV1');
  const fieldsV1 = difference(before, fields);
  if (fieldsV1 === before) return [entry];
  return childKeys(fieldsV1).length === 0 ? [] : [{ ...entry, fieldsV1 }];
}

/** What of one field set is not in another; the very same object when all of it is. */
function difference(from: JsonObject, fields: JsonObject): JsonObject {
  const members = Object.entries(from).flatMap(([key, inner]) => {
    const kept = remainder(inner, fields[key]);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  const isSame =
    members.length === Object.keys(from).length && members.every(([key, kept]) => kept === from[key]);
  return isSame ? from : Object.fromEntries(members);
}

function remainder(inner: JsonValue, ours: JsonValue | undefined): JsonValue | undefined {
  if (!isFieldSet(inner) || !isFieldSet(ours)) return inner;
  // A list or map that is owned as a whole, by either side.
  if (childKeys(inner).length === 0) return childKeys(ours).length === 0 ? undefined : inner;
  const kept = difference(inner, ours);
  return childKeys(kept).length === 0 ? undefined : kept;
}
