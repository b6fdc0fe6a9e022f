/** The exact list of what an IstioOperator has put into the cluster. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, listAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { InventoryEntry } from '../model/status.ts';
import { isProtected } from './protected.ts';

/** The entries that applying these objects makes, without uids. */
export function entriesFor(objects: readonly K8sObject[]): readonly InventoryEntry[] {
  return objects.map(refOf).filter((ref) => !isProtected(ref));
}

/** Entries of `next` whose objects are not in `previous`. */
export function additions(
  previous: readonly InventoryEntry[],
  next: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const known = identities(previous);
  return next.filter((entry) => !known.has(identityOf(entry)));
}

/** Entries of `previous` whose objects are also in `next`. */
export function common(
  previous: readonly InventoryEntry[],
  next: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const wanted = identities(next);
  return previous.filter((entry) => wanted.has(identityOf(entry)));
}

/** Everything of several lists, each object once: the last list that has it wins. In order of identity. */
export function union(...lists: readonly (readonly InventoryEntry[])[]): readonly InventoryEntry[] {
  const byIdentity = new Map(lists.flat().map((entry) => [identityOf(entry), entry]));
  return [...byIdentity.entries()]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, entry]) => entry);
}

export function identities(refs: readonly ObjectRef[]): ReadonlySet<string> {
  return new Set(refs.map(identityOf));
}

export function withoutUid(entry: InventoryEntry): ObjectRef {
  const { uid: _uid, ...ref } = entry;
  return ref;
}

/** The entries of an inventory as somebody stored it; what is not as we write it is left out. */
export function readInventory(value: JsonValue | undefined): readonly InventoryEntry[] {
  return listAt(value).filter(isInventoryEntry);
}

function isInventoryEntry(value: JsonValue): value is JsonObject & InventoryEntry {
  const texts = ['apiVersion', 'kind', 'name'];
  const optional = ['namespace', 'uid'];
  return (
    texts.every((name) => typeof at(value, name) === 'string') &&
    optional.every((name) => ['string', 'undefined'].includes(typeof at(value, name)))
  );
}
