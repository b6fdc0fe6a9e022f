/**
 * Which resource holds an object that several of them ask for. Two resources that both applied it would undo each
 * other's work for ever, and the deletion of one would take it from the other.
 */
import type { ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Contested } from '../model/outcome.ts';
import type { ComponentName, Plan } from '../model/plan.ts';

export type Settlement =
  /** The plan without what others hold and all may use. */
  | { readonly kind: 'granted'; readonly plan: Plan }
  /** Objects that only one resource can have, and another one has. */
  | { readonly kind: 'refused'; readonly contested: readonly Contested[] };

/** Definitions and what goes with them are the same for every control plane of a cluster. */
const SHARED_COMPONENTS: ReadonlySet<ComponentName> = new Set(['Base']);

export class Claims {
  /** Who applies an object, by its identity. */
  readonly #holders = new Map<string, string>();
  /** Who would apply an object if its holder went. */
  readonly #waiting = new Map<string, Set<string>>();

  /**
   * Decides what a resource may apply of its plan: whoever came first holds an object, as long as it lives.
   * `labelledHolder` gives the key of another living resource that a live object says it belongs to.
   */
  settle(key: string, plan: Plan, labelledHolder: (ref: ObjectRef) => string | undefined): Settlement {
    this.#withdraw(key);
    const contested: Contested[] = [];
    const components = plan.components.map((planned) => {
      const mine = planned.objects.filter((object) => {
        const ref = refOf(object);
        const holder = this.#claim(key, ref, labelledHolder(ref));
        if (holder !== key && !SHARED_COMPONENTS.has(planned.component)) contested.push({ ref, holder });
        return holder === key;
      });
      return { ...planned, objects: mine };
    });
    return contested.length > 0
      ? { kind: 'refused', contested }
      : { kind: 'granted', plan: { ...plan, components } };
  }

  /** The other resources that would apply an object if this one let go of it. */
  waitingFor(key: string, ref: ObjectRef): readonly string[] {
    return [...(this.#waiting.get(identityOf(ref)) ?? [])].filter((waiting) => waiting !== key);
  }

  /** Ends all claims of a resource that is gone; gives the keys of those that waited for what it held. */
  forget(key: string): readonly string[] {
    const held = [...this.#holders].filter(([, holder]) => holder === key).map(([identity]) => identity);
    this.#withdraw(key);
    return [...new Set(held.flatMap((identity) => [...(this.#waiting.get(identity) ?? [])]))];
  }

  /** Gives the holder of an object, which is the claimant itself if there was none. */
  #claim(key: string, ref: ObjectRef, labelled: string | undefined): string {
    const identity = identityOf(ref);
    const holder = labelled ?? this.#holders.get(identity) ?? key;
    this.#holders.set(identity, holder);
    if (holder !== key) this.#waiting.set(identity, (this.#waiting.get(identity) ?? new Set()).add(key));
    return holder;
  }

  #withdraw(key: string): void {
    for (const [identity, holder] of this.#holders) if (holder === key) this.#holders.delete(identity);
    for (const [identity, keys] of this.#waiting) {
      keys.delete(key);
      if (keys.size === 0) this.#waiting.delete(identity);
    }
  }
}
