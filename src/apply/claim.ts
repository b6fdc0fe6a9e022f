/** Whose a live object is: ours, as the inventory says, or by now somebody else's. */
import type { K8sObject } from '../model/object.ts';
import { labelsOf, uidOf } from '../model/object.ts';
import type { Owner } from '../model/plan.ts';
import type { InventoryEntry } from '../model/status.ts';
import { appliedFields, FIELD_MANAGER } from './managed-fields.ts';

const OWNER_NAME = 'install.operator.istio.io/owning-resource';
const OWNER_NAMESPACE = 'install.operator.istio.io/owning-resource-namespace';

/** Charts that were rendered without a resource name their owner so. */
const NO_OWNER: ReadonlySet<string> = new Set(['', 'unknown']);

export interface OwnerLabels {
  readonly name: string;
  readonly namespace?: string;
}

/** The owner that an object's labels name, if any. */
export function labelledOwner(object: K8sObject): OwnerLabels | undefined {
  const labels = labelsOf(object);
  const name = labels[OWNER_NAME] ?? '';
  if (NO_OWNER.has(name)) return undefined;
  const namespace = labels[OWNER_NAMESPACE];
  return namespace === undefined ? { name } : { name, namespace };
}

/**
 * An object is ours when its labels name us, also under another uid (it was restored from a backup, or we made it anew
 * and crashed before we could record it). It isn't when they name another owner, who has taken it over. Without such
 * labels it is ours only while it is the very object that we recorded, and we applied something of it: an inventory is
 * part of a status, so somebody may have written into it what never was ours.
 */
export function isOurs(live: K8sObject, entry: InventoryEntry, self: Owner | undefined): boolean {
  const owner = labelledOwner(live);
  if (owner !== undefined && self !== undefined) {
    return owner.name === self.name && (owner.namespace ?? self.namespace) === self.namespace;
  }
  const isRecorded = entry.uid !== undefined && entry.uid === uidOf(live);
  return isRecorded && appliedFields(live, FIELD_MANAGER) !== undefined;
}
