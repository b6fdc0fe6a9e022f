/**
 * Which resource holds an object that several of them ask for. Two resources that both applied it would undo each
 * other's work for ever, and the deletion of one would take it from the other.
 */
import { isDefinition, lineOfDefinition } from '../core/objects/definition-release.ts';
import { compareLines } from '../core/version.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, labelsOf, refOf } from '../model/object.ts';
import type { Contested } from '../model/outcome.ts';
import type { ComponentName, Plan } from '../model/plan.ts';

export type Settlement = {
  /** Other resources that can have something now that this one does not ask for any more. */
  readonly freed: readonly string[];
} & (
  | {
      readonly kind: 'granted';
      /** The plan without what others hold and all may use. */
      readonly plan: Plan;
      /** Revision tags that point to the control plane of another resource, which holds them. */
      readonly heldTags: readonly Contested[];
    }
  /** Objects that only one resource can have, and another one has. */
  | { readonly kind: 'refused'; readonly contested: readonly Contested[] }
);

/** What a live object says about who applied it last: another living resource, and the live object itself. */
export interface LabelledHolder {
  readonly key: string;
  readonly live: K8sObject;
}

/** Definitions and what goes with them are the same for every control plane of a cluster. */
const SHARED_COMPONENTS: ReadonlySet<ComponentName> = new Set(['Base']);

const TAG_LABEL = 'istio.io/tag';

/** An object that a resource asks for. */
interface Asking {
  readonly key: string;
  readonly object: K8sObject;
  readonly labelled: LabelledHolder | undefined;
}

export class Claims {
  /** Who applies an object, by its identity. */
  readonly #holders = new Map<string, string>();
  /** Who would apply an object if its holder went. */
  readonly #waiting = new Map<string, Set<string>>();
  /** The release line of each resource that has settled: what those do not hold, they do not ask for. */
  readonly #lines = new Map<string, string>();

  /**
   * Decides what a resource may apply of its plan: whoever came first holds an object, as long as it lives and asks for
   * it; a definition goes to the newest release line. `labelledHolder` tells what the live object says.
   */
  settle(
    key: string,
    plan: Plan,
    labelledHolder: (ref: ObjectRef) => LabelledHolder | undefined,
  ): Settlement {
    this.#withdraw(key);
    this.#lines.set(key, plan.releaseLine);
    const contested: Contested[] = [];
    const heldTags: Contested[] = [];
    const components = plan.components.map((planned) => {
      const mine = planned.objects.filter((object) => {
        const ref = refOf(object);
        const holder = this.#claim({ key, object, labelled: labelledHolder(ref) });
        if (holder === key) return true;
        if (isTag(object)) heldTags.push({ ref, holder });
        else if (!SHARED_COMPONENTS.has(planned.component)) contested.push({ ref, holder });
        return false;
      });
      return { ...planned, objects: mine };
    });
    const freed = this.#freed(key);
    return contested.length > 0
      ? { kind: 'refused', contested, freed }
      : { kind: 'granted', plan: { ...plan, components }, heldTags, freed };
  }

  /** The other resources that would apply an object if this one let go of it, or that do so by now. */
  wantedBy(key: string, ref: ObjectRef): readonly string[] {
    const identity = identityOf(ref);
    const holder = this.#holders.get(identity);
    const others = new Set([
      ...(this.#waiting.get(identity) ?? []),
      ...(holder === undefined ? [] : [holder]),
    ]);
    others.delete(key);
    return [...others];
  }

  /** Ends all claims of a resource that is gone; gives the keys of those that waited for what it held. */
  forget(key: string): readonly string[] {
    const held = [...this.#holders].filter(([, holder]) => holder === key).map(([identity]) => identity);
    this.#withdraw(key);
    this.#lines.delete(key);
    return [...new Set(held.flatMap((identity) => [...(this.#waiting.get(identity) ?? [])]))];
  }

  /** Gives the holder of an object, which is the claimant itself if there was none. */
  #claim(asking: Asking): string {
    const { key, object, labelled } = asking;
    const identity = identityOf(refOf(object));
    const before = this.#believed(labelled, identity) ?? this.#holders.get(identity) ?? key;
    const holder = before !== key && isDefinition(object) && this.#isNewer(asking, before) ? key : before;
    this.#holders.set(identity, holder);
    if (holder !== before) this.#wait(identity, before);
    if (holder !== key) this.#wait(identity, key);
    return holder;
  }

  /** A label outlives what it says: a resource that has settled since without asking for the object has let go. */
  #believed(labelled: LabelledHolder | undefined, identity: string): string | undefined {
    if (labelled === undefined) return undefined;
    const asks = this.#holders.get(identity) === labelled.key || this.#isWaiting(identity, labelled.key);
    return asks || !this.#lines.has(labelled.key) ? labelled.key : undefined;
  }

  #isNewer({ key, labelled }: Asking, holder: string): boolean {
    const theirs = this.#lines.get(holder) ?? (labelled && lineOfDefinition(labelled.live));
    const mine = this.#lines.get(key);
    return theirs !== undefined && mine !== undefined && compareLines(mine, theirs) > 0;
  }

  #wait(identity: string, key: string): void {
    this.#waiting.set(identity, (this.#waiting.get(identity) ?? new Set()).add(key));
  }

  #isWaiting(identity: string, key: string): boolean {
    return this.#waiting.get(identity)?.has(key) === true;
  }

  #freed(key: string): readonly string[] {
    const unheld = [...this.#waiting].filter(([identity]) => !this.#holders.has(identity));
    return [...new Set(unheld.flatMap(([, keys]) => [...keys]))].filter((waiting) => waiting !== key);
  }

  #withdraw(key: string): void {
    for (const [identity, holder] of this.#holders) if (holder === key) this.#holders.delete(identity);
    for (const [identity, keys] of this.#waiting) {
      keys.delete(key);
      if (keys.size === 0) this.#waiting.delete(identity);
    }
  }
}

function isTag(object: K8sObject): boolean {
  return labelsOf(object)[TAG_LABEL] !== undefined;
}
