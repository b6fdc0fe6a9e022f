/**
 * What objects hold, with who owns which field: equal contents are one value, so that states are compared by numbers,
 * and every merge is computed once however many schedules come to it.
 */
import { FIELD_MANAGER } from '../../../apply/managed-fields.ts';
import type { Owners } from '../../../apply/testing/field-owners.ts';
import { applyFields, managedFieldsOf, updateFields } from '../../../apply/testing/field-owners.ts';
import type { JsonArray } from '../../../model/json.ts';
import { mapAt } from '../../../model/json.ts';
import type { K8sObject } from '../../../model/object.ts';
import { namespaceOf } from '../../../model/object.ts';

export interface Content {
  /** Equal for equal contents. */
  readonly id: number;
  /** Without what the server writes into metadata, and without status. */
  readonly object: K8sObject;
  readonly owners: Owners;
  readonly managedFields: JsonArray;
  /** Somebody applied it as the operator does. */
  readonly isOurs: boolean;
}

const known = new Map<string, Content>();
const merges = new Map<string, Content>();

/** Server-side apply of an object by the operator. */
export function applied(before: Content | undefined, config: K8sObject): Content {
  return remembered(`apply ${before?.id ?? 0} ${JSON.stringify(config)}`, () =>
    applyFields(before ?? blank(config), config, FIELD_MANAGER),
  );
}

/** An ordinary update by somebody else. */
export function updated(before: Content | undefined, object: K8sObject, manager: string): Content {
  return remembered(`update ${before?.id ?? 0} ${manager} ${JSON.stringify(object)}`, () =>
    updateFields(before ?? blank(object), object, manager),
  );
}

interface Tracked {
  readonly object: K8sObject;
  readonly owners: Owners;
}

function blank({ apiVersion, kind, metadata: { name, ...rest } }: K8sObject): Tracked {
  const namespace = namespaceOf({ apiVersion, kind, metadata: { name, ...rest } });
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return { object: { apiVersion, kind, metadata }, owners: new Map() };
}

function remembered(merge: string, make: () => Tracked): Content {
  const before = merges.get(merge);
  if (before !== undefined) return before;
  const content = interned(make());
  merges.set(merge, content);
  return content;
}

function interned(tracked: Tracked): Content {
  const object = withDefaults(tracked.object);
  const owners = new Map([...tracked.owners].filter(([, fields]) => fields.size > 0).toSorted(byName));
  const text = JSON.stringify([
    sorted(object),
    [...owners].map(([name, fields]) => [name, ...fields].toSorted()),
  ]);
  const equal = known.get(text);
  if (equal !== undefined) return equal;
  const content: Content = {
    id: known.size + 1,
    object,
    owners,
    managedFields: managedFieldsOf(owners, object.apiVersion),
    isOurs: owners.has(`Apply ${FIELD_MANAGER}`),
  };
  known.set(text, content);
  return content;
}

/** What the server fills in. */
function withDefaults(object: K8sObject): K8sObject {
  if (object.kind !== 'Deployment') return object;
  return { ...object, spec: { replicas: 1, ...mapAt(object, 'spec') } };
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(byName)
      .map(([key, member]) => [key, sorted(member)]),
  );
}
