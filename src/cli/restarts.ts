/** Which workloads a change would restart. */
import type { Preview, PreviewedChange } from '../apply/preview-plan.ts';
import { fieldsOf } from '../core/object-fields.ts';
import { printTreePath } from '../core/tree-path.ts';
import { at, jsonEqual } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';

export interface Restart {
  readonly object: K8sObject;
  /** The fields of the pods that change; empty when the workload is deleted and made anew. */
  readonly fields: readonly string[];
}

/** Workloads whose pods would be replaced: their template changes, or they are deleted and made anew. */
export function restartsOf({ changes }: Preview): readonly Restart[] {
  return changes.flatMap(restartOf);
}

function restartOf({ change, live, after }: PreviewedChange): readonly Restart[] {
  if (live === undefined || after === undefined || change.action !== 'configured') return [];
  if (change.recreated === true) return [{ object: live, fields: [] }];
  if (jsonEqual(templateOf(live), templateOf(after))) return [];
  return [{ object: live, fields: changedFields(live, after) }];
}

function templateOf(object: K8sObject): ReturnType<typeof at> {
  return at(object, 'spec', 'template');
}

function changedFields(live: K8sObject, after: K8sObject): readonly string[] {
  const before = new Map(podFields(live).map(({ key, steps, value }) => [key, { steps, value }]));
  const now = new Map(podFields(after).map(({ key, steps, value }) => [key, { steps, value }]));
  const keys = [...new Set([...before.keys(), ...now.keys()])];
  return keys
    .filter((key) => !jsonEqual(before.get(key)?.value, now.get(key)?.value))
    .map((key) => printTreePath((now.get(key) ?? before.get(key))?.steps ?? []));
}

function podFields(object: K8sObject): ReturnType<typeof fieldsOf> {
  return fieldsOf(object).filter(({ path }) => path[0] === 'spec' && path[1] === 'template');
}
