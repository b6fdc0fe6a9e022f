/** The form in which an object is sent to the API server: only what a server-side apply can own and keep. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { stringMap } from '../model/object.ts';

/** The server writes these itself, or takes them for a precondition. */
const SERVER_METADATA: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'managedFields',
  'selfLink',
]);

/**
 * Removes status, nulls and what the server writes into metadata, and puts `stringData` of a Secret into `data`, where
 * the server keeps it. Without this an object never equals what is stored. In a schema a null means something: a
 * CustomResourceDefinition keeps its nulls.
 */
export function appliedForm(object: K8sObject): K8sObject {
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([field]) => !SERVER_METADATA.has(field)),
  );
  const { status: _status, ...rest } = object;
  const kept = { ...rest, metadata: { ...metadata, name: object.metadata.name } } as K8sObject; // identity is untouched
  if (object.kind === 'CustomResourceDefinition') return kept;
  const compact = withoutNulls(kept) as K8sObject; // identity holds no nulls
  return isSecret(compact) ? withEncodedStrings(compact) : compact;
}

function withoutNulls(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(entries.map(([field, member]) => [field, withoutNulls(member)]));
}

function isSecret(object: K8sObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Secret' && Object.hasOwn(object, 'stringData');
}

function withEncodedStrings(secret: K8sObject): K8sObject {
  const { stringData, ...rest } = secret;
  const encoded: JsonObject = Object.fromEntries(
    Object.entries(stringMap(stringData)).map(([key, text]) => [
      key,
      Buffer.from(text, 'utf8').toString('base64'),
    ]),
  );
  return { ...rest, data: { ...mapAt(secret, 'data'), ...encoded } };
}
