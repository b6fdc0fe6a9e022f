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
  | {
      readonly kind: 'refused';
      /** Objects that only one resource can have, and another one has. */
      readonly contested: readonly Contested[];
      /** The plan with nothing but what all may use and no other resource holds. */
      readonly shared: Plan;
    }
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
  /** Whether it has held the object up to now. */
  readonly hasHeld: boolean;
}

/** What comes of asking: who had the object, and who has it if the whole plan is granted. */
interface Claim {
  readonly ref: ObjectRef;
  readonly identity: string;
  readonly before: string;
  readonly holder: string;
  /** It serves all control planes of the cluster alike. */
  readonly isShared: boolean;
  /** As with what is shared, the rest of the plan is applied when another resource holds it. */
  readonly isTag: boolean;
}

/** What a resource asked for when it settled last, by identity. */
interface Wishes {
  readonly isRefused: boolean;
  /** What all may use. */
  readonly shared: ReadonlySet<string>;
  /** What only one resource can have. */
  readonly exclusive: ReadonlySet<string>;
}

export interface HeirRules {
  /** Whether a resource is there to stay. */
  readonly isStaying: (key: string) => boolean;
  /** Whether a resource is installed, and so may need what all may use. */
  readonly isInstalled: (key: string) => boolean;
  /** Whether a resource would take over now what it can. */
  readonly isAtWork: (key: string) => boolean;
}

export class Claims {
  /** Who applies an object, by its identity. */
  readonly #holders = new Map<string, string>();
  /** Who would apply an object if its holder went. */
  readonly #waiting = new Map<string, Set<string>>();
  /** The release line of each resource that has settled: what those do not hold, they do not ask for. */
  readonly #lines = new Map<string, string>();
  readonly #wishes = new Map<string, Wishes>();
  /** Who will have an object that somebody else is letting go of, by its identity. */
  readonly #promised = new Map<string, string>();
  /** Resources that go, and have let go of what others take over. */
  readonly #leaving = new Set<string>();
  /** The state of each resource that it settled in. */
  readonly #settled = new Map<string, string>();

  /**
   * Decides what a resource may apply of its plan: whoever came first holds an object, as long as it lives and asks for
   * it; a definition goes to the newest release line. Whoever is refused holds only what it held before: if it took more
   * without applying it, two that are refused could keep each other from everything. `labelledHolder` tells what the
   * live object says.
   */
  settle(
    key: string,
    plan: Plan,
    labelledHolder: (ref: ObjectRef) => LabelledHolder | undefined,
  ): Settlement {
    const held = this.#withdraw(key);
    this.#lines.set(key, plan.releaseLine);
    const claims = this.#claimsOf({ key, held }, plan, labelledHolder);
    const others = [...claims.values()].filter(({ holder }) => holder !== key);
    const contested = others.filter(isExclusive).map(contestedOf);
    const isRefused = contested.length > 0;
    for (const claim of claims.values()) this.#record(key, claim, !isRefused || held.has(claim.identity));
    this.#wishes.set(key, wishesOf([...claims.values()], isRefused));
    const freed = this.#freed(key, new Set([...held, ...this.#endPromises(key)]));
    const mine = restricted(plan, (object) => claims.get(object)?.holder === key);
    if (isRefused) {
      const shared = restricted(mine, (_object, component) => SHARED_COMPONENTS.has(component));
      return { kind: 'refused', contested, shared, freed };
    }
    const heldTags = others.filter((claim) => claim.isTag).map(contestedOf);
    return { kind: 'granted', plan: mine, heldTags, freed };
  }

  #claimsOf(
    { key, held }: { readonly key: string; readonly held: ReadonlySet<string> },
    plan: Plan,
    labelledHolder: (ref: ObjectRef) => LabelledHolder | undefined,
  ): ReadonlyMap<K8sObject, Claim> {
    const claims = new Map<K8sObject, Claim>();
    for (const { component, objects } of plan.components)
      for (const object of objects) {
        const ref = refOf(object);
        const hasHeld = held.has(identityOf(ref));
        const claim = this.#judge({ key, object, labelled: labelledHolder(ref), hasHeld });
        const isShared = SHARED_COMPONENTS.has(component);
        claims.set(object, { ...claim, isShared, isTag: isTag(object) });
      }
    return claims;
  }

  /** Remembers what a resource was like when it settled last. */
  noteSettled(key: string, state: string): void {
    this.#settled.set(key, state);
  }

  isSettled(key: string, state: string): boolean {
    return this.#settled.get(key) === state;
  }

  /**
   * From now on, nobody looks at what a resource asks for: it keeps all that is labelled as its own, whatever it asked
   * for last, as after a restart. Gives the keys of those that wait for any of these objects, once.
   */
  suspend(key: string, inventory: readonly ObjectRef[]): readonly string[] {
    if (!this.#lines.delete(key)) return [];
    const waiting = new Set(inventory.flatMap((ref) => [...(this.#waiting.get(identityOf(ref)) ?? [])]));
    waiting.delete(key);
    return [...waiting];
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

  /**
   * Of those, the ones that an object must be kept for. A resource that remains refused, or is paused, has no use for a
   * part of a control plane or a gateway: it would stay in the cluster, and in nobody's hands.
   */
  heirs(key: string, ref: ObjectRef, rules: HeirRules): readonly string[] {
    const identity = identityOf(ref);
    return this.wantedBy(key, ref).filter((other) => {
      const isNeeded = this.#wishes.get(other)?.shared.has(identity) === true && rules.isInstalled(other);
      return isNeeded || this.#isNext(other, rules);
    });
  }

  /**
   * Gives whether an object must be kept, and promises an heir that is refused so far everything that only one can have
   * and that it needs beside, unless somebody who stays has some of it: if another one were first, the heir would remain
   * refused, and the object in nobody's hands.
   */
  bequeath(key: string, ref: ObjectRef, rules: HeirRules): boolean {
    if (!rules.isStaying(key)) this.#leaving.add(key);
    const [heir] = this.heirs(key, ref, rules);
    const wishes = heir === undefined ? undefined : this.#wishes.get(heir);
    if (heir !== undefined && wishes?.isRefused === true && this.#isNext(heir, rules))
      for (const identity of wishes.exclusive) this.#promised.set(identity, heir);
    return heir !== undefined;
  }

  /** Whether a resource would take over now, and nobody who stays is in its way. */
  #isNext(key: string, rules: HeirRules): boolean {
    return rules.isAtWork(key) && this.#isUnhindered(key, rules);
  }

  /** Whether nobody who stays keeps a resource from what it asks for. */
  #isUnhindered(key: string, { isStaying }: HeirRules): boolean {
    const wishes = this.#wishes.get(key);
    if (wishes?.isRefused !== true) return true;
    return [...wishes.exclusive].every((identity) => {
      const holder = this.#promised.get(identity) ?? this.#holders.get(identity);
      return holder === undefined || holder === key || !isStaying(holder);
    });
  }

  /** Ends all claims of a resource that is gone; gives the keys of those that waited for what it held. */
  forget(key: string): readonly string[] {
    const held = [...this.#withdraw(key), ...this.#endPromises(key)];
    this.#lines.delete(key);
    this.#settled.delete(key);
    this.#leaving.delete(key);
    return [...new Set(held.flatMap((identity) => [...(this.#waiting.get(identity) ?? [])]))];
  }

  /** Who holds an object, which is the claimant itself if nobody does. */
  #judge(asking: Asking): Omit<Claim, 'isShared' | 'isTag'> {
    const { key, object } = asking;
    const ref = refOf(object);
    const identity = identityOf(ref);
    const known = this.#promised.get(identity) ?? this.#believed(asking, identity);
    const before = known ?? this.#holders.get(identity) ?? key;
    const holder = before !== key && isDefinition(object) && this.#isNewer(asking, before) ? key : before;
    return { ref, identity, before, holder };
  }

  #record(key: string, { identity, before, holder }: Claim, mayTake: boolean): void {
    if (holder === key && !mayTake) {
      if (before !== key) this.#holders.set(identity, before);
      this.#wait(identity, key);
      return;
    }
    this.#holders.set(identity, holder);
    if (holder !== before) this.#wait(identity, before);
    if (holder !== key) this.#wait(identity, key);
  }

  /**
   * A label outlives what it says: a resource that has settled since without asking for the object has let go, and one
   * that goes has, once another one was granted the object.
   */
  #believed({ labelled, hasHeld }: Asking, identity: string): string | undefined {
    if (labelled === undefined) return undefined;
    const isGranted = hasHeld || this.#lines.has(this.#holders.get(identity) ?? '');
    if (isGranted && this.#leaving.has(labelled.key)) return undefined;
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

  /** Who waits for what the resource held and nobody holds any more. */
  #freed(key: string, held: ReadonlySet<string>): readonly string[] {
    const unheld = [...held].filter((identity) => !this.#holders.has(identity));
    const waiting = new Set(unheld.flatMap((identity) => [...(this.#waiting.get(identity) ?? [])]));
    waiting.delete(key);
    return [...waiting];
  }

  /** Gives what the resource was promised. */
  #endPromises(key: string): readonly string[] {
    const promised = [...this.#promised].filter(([, heir]) => heir === key).map(([identity]) => identity);
    for (const identity of promised) this.#promised.delete(identity);
    return promised;
  }

  /** Gives what the resource held. */
  #withdraw(key: string): ReadonlySet<string> {
    const held = new Set<string>();
    for (const [identity, holder] of this.#holders) if (holder === key) held.add(identity);
    for (const identity of held) this.#holders.delete(identity);
    for (const [identity, keys] of this.#waiting) {
      keys.delete(key);
      if (keys.size === 0) this.#waiting.delete(identity);
    }
    this.#wishes.delete(key);
    return held;
  }
}

function restricted(plan: Plan, isIn: (object: K8sObject, component: ComponentName) => boolean): Plan {
  const components = plan.components.map((planned) => ({
    ...planned,
    objects: planned.objects.filter((object) => isIn(object, planned.component)),
  }));
  return { ...plan, components };
}

function contestedOf({ ref, holder }: Claim): Contested {
  return { ref, holder };
}

function isExclusive(claim: Claim): boolean {
  return !claim.isShared && !claim.isTag;
}

function wishesOf(claims: readonly Claim[], isRefused: boolean): Wishes {
  const identitiesOf = (is: (claim: Claim) => boolean): ReadonlySet<string> =>
    new Set(claims.filter(is).map(({ identity }) => identity));
  return {
    isRefused,
    shared: identitiesOf(({ isShared }) => isShared),
    exclusive: identitiesOf(isExclusive),
  };
}

function isTag(object: K8sObject): boolean {
  return labelsOf(object)[TAG_LABEL] !== undefined;
}
