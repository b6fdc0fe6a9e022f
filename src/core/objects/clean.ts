/** Removing what says nothing. */
import type { JsonValue } from '../../model/json.ts';
import { isJsonArray, isJsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';

/** Drops map entries that are null: users write them to delete a default, the API server would store or refuse them. */
export function withoutNulls(object: K8sObject): K8sObject {
  // apiVersion, kind and metadata.name are texts and stay.
  return cleaned(object) as K8sObject;
}

function cleaned(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(cleaned);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([key, entry]) => [key, cleaned(entry)]),
  );
}
