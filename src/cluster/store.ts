/**
 * Objects of one watched kind, fed by lists, watch events and our own writes. An object here is never replaced by an
 * older state of itself, whichever way that comes. Objects are kept packed, and few as trees.
 */
import type { WatchEvent } from '../controller/watch.port.ts';
import { jsonEqual, stringAt } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf, uidOf } from '../model/object.ts';
import type { Packed } from './packing.ts';
import { Packer } from './packing.ts';
import { Trees } from './trees.ts';

/** A point in time in the store's life; see `mark`. */
export type Mark = number;

// Far more than can be on their way at once; they only pile up for objects that the watch does not select.
const MAX_ENDED = 1_000;

/** What tells one state of an object from another. */
interface Version {
  readonly uid: string | undefined;
  readonly resourceVersion: string;
}

interface Ending {
  readonly at: Mark;
  /** The last state, as a watch told it; a newer one means that the object is selected again. Absent: it is deleted. */
  readonly last?: Version;
}

interface Entry extends Version {
  readonly packed: Packed;
  /** When one of our own writes brought this state; undefined when the server told it. */
  readonly observedAt: Mark | undefined;
}

export class ObjectStore {
  readonly #logger: Logger;
  readonly #trees: Trees;
  readonly #packer = new Packer();
  readonly #entries = new Map<string, Entry>();
  readonly #handlers = new Set<(event: WatchEvent) => void>();
  /** Objects that ended, by uid: events and answers that are still on their way must not bring them back. */
  readonly #ended = new Map<string, Ending>();
  #now: Mark = 0;

  /** `trees` may serve several stores. */
  constructor(logger: Logger, trees = new Trees()) {
    this.#logger = logger;
    this.#trees = trees;
  }

  get(ref: ObjectRef): K8sObject | undefined {
    const entry = this.#entries.get(identityOf(ref));
    return entry && this.#trees.read(entry.packed);
  }

  list(): readonly K8sObject[] {
    return [...this.#entries.values()].map(({ packed }) => this.#trees.peek(packed));
  }

  /** Handlers are told every change once. What they throw is logged and otherwise ignored. */
  onChange(handler: (event: WatchEvent) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** To be taken before a list is asked for: what we write after it may be missing from the list. */
  mark(): Mark {
    this.#now += 1;
    return this.#now;
  }

  /**
   * Makes the store equal to a list, except for what our own writes did since the mark. Older states are accepted from
   * a list, because after a restore of the server's database they are the truth. If there may have been one, equal
   * versions are not taken for equal states.
   *
   * A server that lags behind another one looks the same, though none should answer so: our lists ask for the latest. It
   * is believed too, since the watch that begins at such a list tells at once what the list lacks, while one that went on
   * from where we were would be silent after a restore. So the worst are looks at the past for a moment: they take away
   * only what the inventory of that same past has and its specification does not ask for, and what they make stands in
   * the inventory, so that the next look takes it away again.
   */
  replace(objects: readonly K8sObject[], since: Mark, { mayBeRestored = false } = {}): void {
    for (const [uid, ending] of this.#ended) if (ending.at < since) this.#ended.delete(uid);
    const listed = new Set<string>();
    for (const object of objects) {
      listed.add(identityOf(refOf(object)));
      if (!this.#isEnded(object)) this.#replaceOne(object, since, mayBeRestored);
    }
    for (const [identity, entry] of this.#entries) {
      if (!listed.has(identity) && !isSince(entry, since)) this.#remove(identity);
    }
  }

  /** An object as a watch tells it, new or changed. */
  upsert(object: K8sObject): void {
    this.#put(object, undefined);
  }

  /** An object as one of our own writes left it. */
  observe(object: K8sObject): void {
    this.#put(object, this.mark());
  }

  /** The last state of an object as a watch tells it: deleted, or no longer selected. */
  drop(object: K8sObject): void {
    const identity = identityOf(refOf(object));
    const held = this.#entries.get(identity);
    const last = versionOf(object);
    if (last.uid !== undefined) this.#remember(last.uid, last);
    // An older end: we already hold the object that came after it, or a state that was selected again.
    if (held === undefined || isOlder(last, held)) return;
    this.#remove(identity, isSameObject(held, last) ? object : undefined);
  }

  /** One of our own deletes ended the object of that name, or only the one with that uid. */
  observeDeleted(ref: ObjectRef, uid: string | undefined): void {
    const identity = identityOf(ref);
    const held = this.#entries.get(identity);
    const ended = uid ?? held?.uid;
    if (ended !== undefined) this.#remember(ended);
    if (held !== undefined && ended === held.uid) this.#remove(identity);
  }

  #remember(ended: string, last?: Version): void {
    this.#ended.set(ended, { at: this.mark(), ...(last === undefined ? {} : { last }) });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MAX_ENDED && oldest !== undefined) this.#ended.delete(oldest);
  }

  #put(object: K8sObject, observedAt: Mark | undefined): void {
    if (this.#isEnded(object)) return;
    const identity = identityOf(refOf(object));
    const held = this.#entries.get(identity);
    if (held !== undefined && !isNewer(versionOf(object), held)) return;
    this.#set(identity, object, observedAt);
  }

  #replaceOne(object: K8sObject, since: Mark, mayBeRestored: boolean): void {
    const identity = identityOf(refOf(object));
    const held = this.#entries.get(identity);
    const listed = versionOf(object);
    if (held !== undefined && isSince(held, since) && !isNewer(listed, held)) return;
    if (held !== undefined && isSameState(held, listed)) {
      if (!mayBeRestored || jsonEqual(this.#trees.peek(held.packed), object)) return;
    }
    this.#set(identity, object, undefined);
  }

  #set(identity: string, object: K8sObject, observedAt: Mark | undefined): void {
    const old = this.#entries.get(identity);
    const entry = { ...versionOf(object), packed: this.#packer.pack(object), observedAt };
    const isSame = old !== undefined && isSameObject(old, entry);
    // Another object of the same name: whoever follows the old one must hear that it ended.
    if (old !== undefined && !isSame) this.#remove(identity);
    this.#entries.set(identity, entry);
    this.#trees.keep(entry.packed, object);
    if (isSame) this.#replaced(old, object);
    else this.#tell(() => ({ type: 'added', object }));
  }

  #replaced({ packed }: Entry, object: K8sObject): void {
    this.#tell(() => ({ type: 'updated', object, old: this.#trees.peek(packed) }));
    this.#trees.drop(packed);
  }

  #remove(identity: string, last?: K8sObject): void {
    const held = this.#entries.get(identity);
    if (held === undefined) return;
    this.#entries.delete(identity);
    this.#tell(() => ({ type: 'deleted', object: last ?? this.#trees.peek(held.packed) }));
    this.#trees.drop(held.packed);
  }

  #isEnded(object: K8sObject): boolean {
    const ending = this.#ended.get(uidOf(object) ?? '');
    return ending !== undefined && (ending.last === undefined || !isNewer(versionOf(object), ending.last));
  }

  /** What nobody wants to hear is not unpacked. */
  #tell(eventOf: () => WatchEvent): void {
    if (this.#handlers.size === 0) return;
    const event = eventOf();
    for (const handler of this.#handlers) {
      try {
        handler(event);
      } catch (error) {
        this.#logger.error('a watch handler failed', { kind: event.object.kind, type: event.type, error });
      }
    }
  }
}

function isSince(entry: Entry, mark: Mark): boolean {
  return entry.observedAt !== undefined && entry.observedAt >= mark;
}

function versionOf(object: K8sObject): Version {
  return { uid: uidOf(object), resourceVersion: stringAt(object, 'metadata', 'resourceVersion') ?? '' };
}

function isSameObject(left: Version, right: Version): boolean {
  return left.uid === right.uid;
}

function isSameState(left: Version, right: Version): boolean {
  return left.resourceVersion === right.resourceVersion && isSameObject(left, right);
}

/** Not known to be the same or older: versions that cannot be compared count as newer. */
function isNewer(candidate: Version, held: Version): boolean {
  return (compareResourceVersions(candidate.resourceVersion, held.resourceVersion) ?? 1) > 0;
}

function isOlder(candidate: Version, held: Version): boolean {
  return (compareResourceVersions(candidate.resourceVersion, held.resourceVersion) ?? 0) < 0;
}

/**
 * Orders two resourceVersions of one kind, or tells with undefined that they have no order. Kubernetes promises that
 * they are growing whole numbers (KEP-5504); aggregated API servers may do otherwise.
 */
export function compareResourceVersions(left: string, right: string): number | undefined {
  const isNumber = /^[1-9]\d*$/;
  if (!isNumber.test(left) || !isNumber.test(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
