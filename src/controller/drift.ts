/** Decides which changes of installed objects are worth a look at their owner. Pure. */
import type { JsonObject } from '../model/json.ts';
import { jsonEqual } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { labelsOf } from '../model/object.ts';
import { appliedFields, FIELD_MANAGER } from '../apply/managed-fields.ts';
import { readinessOf } from '../apply/readiness.ts';
import { keyOf } from './resource.ts';
import type { WatchEvent } from './watch.port.ts';
import { OWNER_NAMESPACE_LABEL, OWNER_NAME_LABEL } from './watch-table.ts';

/** The key of the IstioOperator that an object says it belongs to. */
export function ownerKeyOf(object: K8sObject): string | undefined {
  const labels = labelsOf(object);
  const [name, namespace] = [labels[OWNER_NAME_LABEL], labels[OWNER_NAMESPACE_LABEL]];
  return name === undefined || namespace === undefined ? undefined : keyOf(namespace, name);
}

/**
 * The owners to look at after an event; none when nothing changed that anybody would do something about. The labels
 * themselves may be what was changed, so the owner of before counts as well.
 */
export function ownersConcerned(event: WatchEvent): readonly string[] {
  if (event.type !== 'updated') return present([ownerKeyOf(event.object)]);
  if (!isWorthALook(event.old, event.object)) return [];
  return present([...new Set([ownerKeyOf(event.old), ownerKeyOf(event.object)])]);
}

/** Other controllers write status all the time; of that only what changes readiness counts. */
function isWorthALook(old: K8sObject, now: K8sObject): boolean {
  return !jsonEqual(contentOf(old), contentOf(now)) || !jsonEqual(readinessAsJson(old), readinessAsJson(now));
}

/** The progress of a rollout counts too, not only its end: people watch it. */
function readinessAsJson(object: K8sObject): JsonObject {
  const readiness = readinessOf(object);
  return { kind: readiness.kind, reason: 'reason' in readiness ? readiness.reason : '' };
}

const STATUS: ReadonlySet<string> = new Set(['status']);
const BOOKKEEPING: ReadonlySet<string> = new Set(['resourceVersion', 'managedFields', 'generation']);

/** With the fields that we own: whoever edits one and undoes it has taken it from us, and nothing else shows that. */
function contentOf(object: K8sObject): JsonObject {
  const content = { ...without(object, STATUS), metadata: without(object.metadata, BOOKKEEPING) };
  return { content, ours: appliedFields(object, FIELD_MANAGER)?.fields ?? {} };
}

function without(map: JsonObject, keys: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.has(key)));
}

function present(keys: readonly (string | undefined)[]): readonly string[] {
  return keys.filter((key) => key !== undefined);
}
