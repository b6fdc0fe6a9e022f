/**
 * Remembers what was wanted of each object when it was last equal to that. Where the same is wanted and the object
 * differs all the same, somebody else changed it, also when no owner is left to tell: a field that is removed, or a
 * list that is put into another order, belongs to nobody.
 */
import { hash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { listAt, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Change } from '../model/report.ts';
import { FIELD_MANAGER, isApplyEntry } from './managed-fields.ts';

/** Whoever writes under our name and is not us: another installation of the operator, or an older one. */
export const NAMESAKE = 'another istio-operator';

interface Memory {
  /** Of what was wanted. */
  readonly digest: string;
  readonly resourceVersion: string | undefined;
  /** What each of the others had written. */
  readonly writings: ReadonlySet<string>;
  /** When something was last applied under our name; by the API server's clock. */
  readonly appliedAt: string | undefined;
}

/**
 * For one installation and one term of leadership. Forgetting means that a change is taken for a newer plan of ours.
 * Keeps the latest `limit` objects; one takes some hundred bytes.
 */
export class LastEqual {
  readonly #limit: number;
  readonly #memories = new Map<string, Memory>();

  constructor(limit = 5_000) {
    this.#limit = limit;
  }

  /** The live object is as wanted now. */
  note(desired: K8sObject, live: K8sObject): void {
    const identity = identityOf(refOf(desired));
    const digest = digestOf(desired);
    const known = this.#memories.get(identity);
    this.#memories.delete(identity);
    const isSame = known?.digest === digest && known.resourceVersion === versionOf(live);
    this.#memories.set(identity, isSame ? known : memoryOf(digest, live));
    const [oldest] = this.#memories.keys();
    if (this.#memories.size > this.#limit && oldest !== undefined) this.#memories.delete(oldest);
  }

  /**
   * Whether the object was as wanted. When something else was wanted of it, that is forgotten, because a write may follow
   * whose answer gets lost: what was wanted before must never be held against it.
   */
  knows(desired: K8sObject): boolean {
    const identity = identityOf(refOf(desired));
    const known = this.#memories.get(identity);
    if (known === undefined || known.digest === digestOf(desired)) return known !== undefined;
    this.#memories.delete(identity);
    return false;
  }

  /** Who may have changed what has no name on it. */
  culpritSince(live: K8sObject): Pick<Change, 'changedBy' | 'suspect'> {
    const known = this.#memories.get(identityOf(refOf(live)));
    if (known === undefined) return { changedBy: [] };
    if (appliedAt(live) !== undefined && appliedAt(live) !== known.appliedAt)
      return { changedBy: [NAMESAKE] };
    const news = writingsOf(live).filter((entry) => !known.writings.has(shortOf(entry)));
    const latest = news.toSorted(byTime).at(-1);
    return { changedBy: [], ...(latest && { suspect: stringAt(latest, 'manager') ?? 'unknown' }) };
  }

  forget(ref: ObjectRef): void {
    this.#memories.delete(identityOf(ref));
  }
}

function memoryOf(digest: string, live: K8sObject): Memory {
  return {
    digest,
    resourceVersion: versionOf(live),
    writings: new Set(writingsOf(live).map(shortOf)),
    appliedAt: appliedAt(live),
  };
}

/** What others wrote. Status is no wish: those who tell it have changed nothing. */
function writingsOf(live: K8sObject): readonly JsonValue[] {
  return listAt(live, 'metadata', 'managedFields').filter(
    (entry) => !isApplyEntry(entry, FIELD_MANAGER) && stringAt(entry, 'subresource') !== 'status',
  );
}

function appliedAt(live: K8sObject): string | undefined {
  const own = listAt(live, 'metadata', 'managedFields').find((entry) => isApplyEntry(entry, FIELD_MANAGER));
  return stringAt(own, 'time');
}

function byTime(left: JsonValue, right: JsonValue): number {
  return timeOf(left) - timeOf(right);
}

function timeOf(entry: JsonValue): number {
  return Date.parse(stringAt(entry, 'time') ?? '') || 0;
}

/**
 * Plans of the same specification have their members in the same order, so there is no need to sort them: this is done
 * for each object at each look.
 */
function digestOf(desired: JsonObject): string {
  return shortOf(desired);
}

function shortOf(value: JsonValue): string {
  return hash('sha256', JSON.stringify(value), 'base64');
}

function versionOf(object: K8sObject): string | undefined {
  return stringAt(object, 'metadata', 'resourceVersion');
}
