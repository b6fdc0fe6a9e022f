/** What all comparisons of objects show in the same way. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { K8sObject } from '../model/object.ts';
import { printYaml } from './yaml.ts';

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

/** One object before and after a change; absent where there is none. */
export interface ObjectPair {
  /** As people read a reference to it. */
  readonly name: string;
  readonly live: K8sObject | undefined;
  readonly after: K8sObject | undefined;
}

/** A unified diff of YAML from live to wanted, as `kubectl diff` prints it. */
export function patchFromLive({ name, live, after }: ObjectPair): string {
  return createTwoFilesPatch(
    live === undefined ? '/dev/null' : `live ${name}`,
    after === undefined ? '/dev/null' : `wanted ${name}`,
    printed(live),
    printed(after),
    undefined,
    undefined,
    { context: CONTEXT_LINES, headerOptions: FILE_HEADERS_ONLY },
  );
}

function printed(object: K8sObject | undefined): string {
  return object === undefined ? '' : printYaml(withoutNoise(object));
}
