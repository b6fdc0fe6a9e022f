/** Small objects for tests. */
import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';

/** An object of that kind and name with just the given fields besides. */
export function object(kind: string, name: string, fields: JsonObject = {}): K8sObject {
  return { apiVersion: 'v1', kind, metadata: { name }, ...fields };
}
