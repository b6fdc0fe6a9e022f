/**
 * Remembers what others undo of our work, and ends the fight: what was flipped more than three times within five minutes
 * is left as it is until it has been quiet for a minute. Then it is put back once; when that is undone too, it is left
 * for twice as long, and so on up to half an hour. A change of what we want starts everything anew.
 */
import type { JsonObject } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Dispute } from '../model/report.ts';
import type { Flip } from './compare.ts';
import { digestOf } from './known-equal.ts';
import { LastEqual, NAMESAKE } from './last-equal.ts';
import { displayPath } from './managed-fields.ts';
import type { FieldPath } from './withhold.ts';
import { valueAt } from './withhold.ts';

export interface DisputeSettings {
  /** So many flips within the window are repaired. */
  readonly repairs: number;
  readonly windowMs: number;
  readonly firstHoldMs: number;
  readonly lastHoldMs: number;
}

const SETTINGS: DisputeSettings = {
  repairs: 3,
  windowMs: 300_000,
  firstHoldMs: 60_000,
  lastHoldMs: 1_800_000,
};

/** What is at stake when the object itself is deleted. */
const WHOLE_OBJECT: FieldPath = [];

interface Fight {
  readonly path: FieldPath;
  managers: readonly string[];
  /** When it was flipped lately. */
  flipsMs: readonly number[];
  /** How often it was left alone already. */
  holds: number;
  hold: Hold | undefined;
  touchedMs: number;
}

interface Hold {
  untilMs: number;
  /** The live value: a change of it tells that others go on fighting. */
  seen: string;
}

interface Subject {
  readonly ref: ObjectRef;
  /** Of the desired object. */
  readonly digest: string;
  readonly fights: Map<string, Fight>;
  /** What the fights were before the flips that were counted last; undefined for a new one. */
  before: ReadonlyMap<string, Fight | undefined>;
  touchedMs: number;
}

/**
 * For one installation, over many runs of the engine; forgetting costs a few writes, never correctness. What has been
 * quiet for as long as the window is forgotten, so memory is bounded by what was written lately.
 */
export class Disputes {
  /** Tells what others undid from what we want otherwise than before, so that we never fight with ourselves. */
  readonly lastEqual = new LastEqual();
  readonly #settings: DisputeSettings;
  readonly #subjects = new Map<string, Subject>();

  constructor(settings: Partial<DisputeSettings> = {}) {
    this.#settings = { ...SETTINGS, ...settings };
  }

  /** The fields of a live object that are left as they are at present. */
  held(desired: K8sObject, live: K8sObject, nowMs: number): readonly FieldPath[] {
    const subject = this.#known(desired);
    const fights = [...(subject?.fights.values() ?? [])].filter((fight) => fight.path !== WHOLE_OBJECT);
    for (const { hold, holds, path } of fights) {
      const seen = seenAt(live, path);
      if (hold === undefined || hold.seen === seen) continue;
      hold.seen = seen;
      hold.untilMs = Math.max(hold.untilMs, nowMs + this.#holdMs(holds));
    }
    return fights.filter((fight) => isHeld(fight, nowMs)).map(({ path }) => path);
  }

  /** To be told before flipped fields are put back; gives those that are left as they are from now on. */
  repairing(
    desired: K8sObject,
    flipped: { readonly live: K8sObject; readonly flips: readonly Flip[] },
    nowMs: number,
  ): readonly FieldPath[] {
    this.#sweep(nowMs);
    const isKnown = this.lastEqual.knows(desired);
    // Without a manager it may be a field that is wanted for the first time, unless all of this was there before.
    const flips = flipped.flips.filter(({ managers }) => isKnown || managers.length > 0);
    const subject = this.#subjectOf(desired, nowMs);
    subject.before = fightsOver(subject, flips);
    const left = flips.filter((flip) => this.#flip(subject, flip, { nowMs, live: flipped.live }));
    return left.map(({ path }) => path);
  }

  /** To be told before an object is made that is not there; false when it is not to be made now. */
  making(desired: K8sObject, nowMs: number): boolean {
    this.#sweep(nowMs);
    const isKnown = this.#known(desired) !== undefined;
    const subject = this.#subjectOf(desired, nowMs);
    const flip: Flip = { path: WHOLE_OBJECT, managers: [], isOurs: false };
    subject.before = fightsOver(subject, [flip]);
    return !isKnown || !this.#flip(subject, flip, { nowMs, live: {} });
  }

  /**
   * To be told when nothing came of the repair that was told last: there is nothing that others could undo then. What is
   * left as it is stays so.
   */
  notRepaired(desired: K8sObject, nowMs: number): void {
    const subject = this.#known(desired);
    if (subject === undefined) return;
    for (const [key, before] of subject.before) {
      const fight = subject.fights.get(key);
      if (fight !== undefined && isHeld(fight, nowMs)) continue;
      if (before === undefined) subject.fights.delete(key);
      else subject.fights.set(key, before);
    }
    subject.before = new Map();
  }

  /** After we deleted it ourselves. */
  forget(ref: ObjectRef): void {
    this.lastEqual.forget(ref);
    this.#subjects.delete(identityOf(ref));
  }

  /** What is left as it is at present, in order of identity. */
  open(nowMs: number): readonly Dispute[] {
    const subjects = [...this.#subjects].toSorted(([left], [right]) => (left < right ? -1 : 1));
    return subjects.flatMap(([, { ref, fights }]) =>
      [...fights.values()]
        .filter((fight) => isHeld(fight, nowMs))
        .map((fight) => disputeOf(ref, fight, nowMs)),
    );
  }

  #known(desired: K8sObject): Subject | undefined {
    const identity = identityOf(refOf(desired));
    const subject = this.#subjects.get(identity);
    if (subject === undefined || subject.digest === digestOf(desired)) return subject;
    this.#subjects.delete(identity);
    return undefined;
  }

  #subjectOf(desired: K8sObject, nowMs: number): Subject {
    const ref = refOf(desired);
    const subject = this.#known(desired) ?? {
      ref,
      digest: digestOf(desired),
      fights: new Map<string, Fight>(),
      before: new Map<string, Fight>(),
      touchedMs: nowMs,
    };
    subject.touchedMs = nowMs;
    this.#subjects.set(identityOf(ref), subject);
    return subject;
  }

  /** Counts a flip; true when what was flipped is to be left as it is. */
  #flip({ fights }: Subject, { path, managers, isOurs }: Flip, { nowMs, live }: Sighting): boolean {
    const key = keyOfPath(path);
    const fight = fights.get(key) ?? newFight(path);
    fights.set(key, fight);
    if (isOurs) fight.managers = [NAMESAKE];
    else if (managers.length > 0) fight.managers = managers;
    fight.touchedMs = nowMs;
    if (fight.hold !== undefined && isHeld(fight, nowMs)) return true;
    if (fight.hold !== undefined) {
      // It was quiet for long enough: this is the attempt after it.
      fight.hold = undefined;
      return false;
    }
    fight.flipsMs = [...fight.flipsMs.filter((flipMs) => nowMs - flipMs < this.#settings.windowMs), nowMs];
    if (fight.holds === 0 && fight.flipsMs.length <= this.#settings.repairs) return false;
    fight.hold = { untilMs: nowMs + this.#holdMs(fight.holds + 1), seen: seenAt(live, path) };
    fight.holds += 1;
    return true;
  }

  #holdMs(holds: number): number {
    const { firstHoldMs, lastHoldMs } = this.#settings;
    // Beyond 2^20 every limit is reached.
    return Math.min(firstHoldMs * 2 ** Math.min(holds - 1, 20), lastHoldMs);
  }

  #sweep(nowMs: number): void {
    const isOld = (touchedMs: number): boolean => nowMs - touchedMs >= this.#settings.windowMs;
    for (const [identity, subject] of this.#subjects) {
      for (const [key, { hold, touchedMs }] of subject.fights) {
        if (isOld(Math.max(touchedMs, hold?.untilMs ?? touchedMs))) subject.fights.delete(key);
      }
      if (subject.fights.size === 0 && isOld(subject.touchedMs)) this.#subjects.delete(identity);
    }
  }
}

interface Sighting {
  readonly nowMs: number;
  readonly live: JsonObject;
}

function keyOfPath(path: FieldPath): string {
  return path.join('\n');
}

function fightsOver(subject: Subject, flips: readonly Flip[]): ReadonlyMap<string, Fight | undefined> {
  return new Map(
    flips.map(({ path }) => {
      const fight = subject.fights.get(keyOfPath(path));
      return [keyOfPath(path), fight && { ...fight, ...(fight.hold && { hold: { ...fight.hold } }) }];
    }),
  );
}

function newFight(path: FieldPath): Fight {
  return { path, managers: [], flipsMs: [], holds: 0, hold: undefined, touchedMs: 0 };
}

function isHeld({ hold }: Fight, nowMs: number): boolean {
  return hold !== undefined && nowMs < hold.untilMs;
}

function seenAt(live: JsonObject, path: FieldPath): string {
  return digestOf(path === WHOLE_OBJECT ? null : (valueAt(live, path) ?? null));
}

function disputeOf(ref: ObjectRef, { path, managers, hold }: Fight, nowMs: number): Dispute {
  const retryInMs = Math.max(0, (hold?.untilMs ?? nowMs) - nowMs);
  return path === WHOLE_OBJECT
    ? { ref, managers, retryInMs }
    : { ref, field: displayPath(path), managers, retryInMs };
}
