/** What all comparisons of objects show in the same way. */
import type { K8sObject } from '../model/object.ts';

/** Three lines around a change are enough to find it, as in every other diff. */
export const CONTEXT_LINES = 3;

/** What the server writes into every object says nothing about what was asked for. */
const NOISE: ReadonlySet<string> = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
]);

/** The object without its status and without what the server adds to its metadata. */
export function withoutNoise(object: K8sObject): K8sObject {
  const { status: _status, ...rest } = object;
  const metadata = Object.entries(object.metadata).filter(([field]) => !NOISE.has(field));
  return { ...rest, metadata: { ...Object.fromEntries(metadata), name: object.metadata.name } };
}
