/**
 * Keeps a store equal to what the API server has of one kind: a list, then watches that go on where the last one
 * ended, and a new list when that is not possible. Nothing ends it but `stop`.
 */
import type { Clock } from '../model/clock.ts';
import type { ClusterErrorKind } from '../model/cluster-error.ts';
import { ClusterError, isClusterError } from '../model/cluster-error.ts';
import { stringAt } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import type { GroupVersionKind } from '../model/object.ts';
import { groupOf } from '../model/object.ts';
import { errorFromStatus, isKindUnknown, isOutdated } from './api-error.ts';
import type { Discovery } from './discovery.ts';
import type { Selection } from './list-pages.ts';
import { acceptOf, listPages, objectOf, selectorsOf } from './list-pages.ts';
import type { Outage } from './outage.ts';
import type { ResourceMapping } from './resource-path.ts';
import { collectionPath, definitionNameOf } from './resource-path.ts';
import type { ObjectStore } from './store.ts';
import type { Transport } from './transport.ts';
import type { WatchFrame } from './watch-frames.ts';
import { framesOf, GarbledFrame } from './watch-frames.ts';

/** What the watches of one process share from outside. */
export interface WatchDeps {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export interface ReflectorDeps extends WatchDeps {
  readonly outage: Outage;
  /** Without it a kind that is not served is asked for again and again. */
  readonly definitions?: DefinitionSight;
}

/** What is known of the definitions of kinds. News of them come by `definitionsChanged` of discovery. */
export interface DefinitionSight {
  /** From now on news come, if they can be had. */
  follow(): void;
  /** Whether there is one of that name. Without a name: `absent`, as long as news come. */
  sightOf(name: string | undefined): 'present' | 'absent' | 'unknown';
}

export interface ReflectorSettings {
  readonly kind: GroupVersionKind;
  readonly selection: Selection;
  /** Lists anew at least that often, which makes good events that got lost unnoticed. Ten minutes when absent. */
  readonly relistMs?: number;
}

/**
 * - `starting`: nothing is known yet.
 * - `unserved`: the server does not have the kind, so there are no objects of it. It is looked for when a definition of
 *   its group comes or changes, and else every five to ten minutes.
 * - `live`: the store holds a list and follows it.
 */
export type ReflectorState = 'starting' | 'unserved' | 'live';

// The server ends a watch by itself after this; random, so that watches that began together do not end together.
const MIN_WATCH_S = 300;
const MAX_WATCH_S = 600;
// Bookmarks come every minute; a connection that is silent for longer is dead, whatever TCP says.
const SILENCE_MS = 120_000;

// A watch from which an event is missing looks like one in which nothing happened, and whoever looks at an installation
// anew reads the same store: only a list can tell. Some thirty watches make a list every fifteen seconds of it.
const RELIST_MS = 600_000;

const FIRST_WAIT_MS = 800;
const LAST_WAIT_MS = 30_000;
// What fails alone should be seen again some seconds after it is there.
const LAST_WAIT_UNAVAILABLE_MS = 4_000;
// While no watch is open they try in turns and come back together; this is for when the turns take too long.
const WAIT_AWAY_MS = 16_000;

// A kind that is not served is waited for, not asked for: the first news of its definition comes before the server can
// serve it. What brings no news are lost events and kinds without a definition, those of aggregated API servers.
const FIRST_WAIT_AFTER_NEWS_MS = 200;
const LAST_WAIT_FOR_NEWS_MS = 600_000;
const LAST_WAIT_WITHOUT_NEWS_MS = 10_000;
const HEALTHY_MS = 60_000;
const SHORT_MS = 1_000;
// A watch that keeps failing may do so because of where it starts.
const RELIST_AFTER_FAILURES = 3;
const TOO_MANY = 429;

/** What to do after one step of the loop. */
type Step =
  | { readonly next: 'go on' }
  | {
      readonly next: 'wait';
      readonly waitMs: number;
      /** Whatever happens meanwhile: what the server asked for. */
      readonly leastMs?: number;
      readonly isAway?: boolean;
    };

/** Failures of one sort in a row, since the server was there for others. */
interface Tries {
  readonly kind: ClusterErrorKind;
  readonly recoveries: number;
  readonly count: number;
}

export class Reflector {
  /** Resolves at the first complete list, or when the kind turns out not to be served. Never rejects. */
  readonly synced: Promise<void>;
  readonly #deps: ReflectorDeps;
  readonly #settings: ReflectorSettings;
  readonly #store: ObjectStore;
  readonly #stopped = new AbortController();
  readonly #stopFollowing: () => void;
  readonly #markSynced: () => void;
  #state: ReflectorState = 'starting';
  /** Where the next watch starts; undefined when a list is due. */
  #resourceVersion: string | undefined;
  #failures = 0;
  #tries: Tries | undefined;
  /** In a row, since the kind is served or news came: how often it was found missing. */
  #misses = 0;
  /** A definition of its group came or changed since the kind was served. */
  #hasNews = false;
  /** Of the kind, once it was served. */
  #definition: string | undefined;
  /** A list was made because the watch could not go on, and no watch has held since. */
  #isRelisted = false;
  /** Of the outage, when the list was asked for that the store holds. */
  #absences: number;
  readonly #currencyHandlers = new Set<(isCurrent: boolean) => void>();
  readonly #stopNoticing: () => void;
  /** By then the store is compared with the server, whatever the watches told. */
  #listIsDueAtMs = 0;
  #lastFrameAtMs: number;
  #wake = new AbortController();

  /** Starts at once. */
  constructor(deps: ReflectorDeps, settings: ReflectorSettings, store: ObjectStore) {
    this.#deps = deps;
    this.#settings = settings;
    this.#store = store;
    this.#lastFrameAtMs = deps.clock.nowMs();
    this.#absences = deps.outage.absences;
    this.#stopNoticing = deps.outage.onAbsence(() => this.#tellCurrency(false));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
    this.#stopFollowing = deps.discovery.onDefinitionsChanged((group) => this.#hear(group));
    void this.#run();
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /**
   * Whether what the store holds can be relied on: it was listed, and since then the server was not away from all, as
   * while its database is restored.
   */
  get isCurrent(): boolean {
    return this.#state !== 'starting' && this.#absences === this.#deps.outage.absences;
  }

  /** Told with false when that ends, mostly more than once, and with true when it begins. */
  onCurrency(handler: (isCurrent: boolean) => void): void {
    this.#currencyHandlers.add(handler);
  }

  /** Since the server last told anything, bookmarks included: the age of what is in the store at worst. */
  lastEventAgeMs(): number {
    return this.#deps.clock.nowMs() - this.#lastFrameAtMs;
  }

  stop(): void {
    this.#stopFollowing();
    this.#stopNoticing();
    this.#stopped.abort();
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const step = await this.#step().catch((error: unknown) => this.#afterFailure(error));
      if (step.next === 'wait') await this.#wait(step);
    }
  }

  #hear(group: string): void {
    if (this.#state === 'live' || group !== groupOf(this.#settings.kind.apiVersion)) return;
    this.#hasNews = true;
    this.#misses = 0;
    this.#wake.abort();
  }

  async #step(): Promise<Step> {
    const { discovery } = this.#deps;
    const options = { signal: this.#stopped.signal, afresh: this.#hasNews };
    const mapping = await discovery.resolve(this.#settings.kind, options);
    if (mapping === undefined) return this.#unserved();
    if (this.#state === 'unserved') this.#state = 'starting';
    this.#misses = 0;
    this.#definition = definitionNameOf(mapping);
    if (this.#deps.clock.nowMs() >= this.#listIsDueAtMs || !this.isCurrent) this.#resourceVersion = undefined;
    this.#resourceVersion ??= await this.#list(mapping);
    return this.#watch(mapping, this.#resourceVersion);
  }

  #unserved(): Step {
    const { absences } = this.#deps.outage;
    this.#store.replace([], this.#store.mark());
    this.#resourceVersion = undefined;
    this.#becomes('unserved', absences);
    this.#misses += 1;
    // A definition that goes away takes its watches with it: that is no fault of theirs.
    this.#forgetFailures();
    return { next: 'wait', waitMs: this.#waitForKindMs() };
  }

  #waitForKindMs(): number {
    const { definitions, random } = this.#deps;
    definitions?.follow();
    const firstMs = this.#hasNews ? FIRST_WAIT_AFTER_NEWS_MS : FIRST_WAIT_MS;
    // Where its definition is, discovery will follow; and where news cannot be had, it must be asked.
    if (definitions?.sightOf(this.#definition) !== 'absent')
      return this.#backoffMs(this.#misses, LAST_WAIT_WITHOUT_NEWS_MS, firstMs);
    const longMs = LAST_WAIT_FOR_NEWS_MS * (1 - random() / 2);
    return this.#hasNews
      ? Math.min(longMs, this.#backoffMs(this.#misses, LAST_WAIT_FOR_NEWS_MS, firstMs))
      : longMs;
  }

  async #list(mapping: ResourceMapping): Promise<string> {
    const mark = this.#store.mark();
    const { transport, clock, outage } = this.#deps;
    const { absences, isOver } = outage;
    // Whoever is only to see whether the server is back asks once.
    const options = { signal: this.#stopped.signal, retry: isOver || absences === 0 };
    const list = await listPages(transport, mapping, this.#settings.selection, options);
    this.#store.replace(list.objects, mark, {
      mayBeRestored: this.#state === 'starting' || this.#absences !== absences,
    });
    this.#lastFrameAtMs = clock.nowMs();
    this.#listIsDueAtMs = this.#lastFrameAtMs + this.#listAgeMs();
    this.#becomes('live', absences);
    return list.resourceVersion;
  }

  /** Random, so that watches that began together do not list together. */
  #listAgeMs(): number {
    return (this.#settings.relistMs ?? RELIST_MS) * (1 - this.#deps.random() / 2);
  }

  async #watch(mapping: ResourceMapping, resourceVersion: string): Promise<Step> {
    const session = this.#startSession();
    try {
      const chunks = await this.#deps.transport.stream({
        method: 'GET',
        path: collectionPath(mapping, this.#settings.selection.namespace),
        query: {
          ...selectorsOf(this.#settings.selection),
          watch: 'true',
          allowWatchBookmarks: 'true',
          resourceVersion,
          timeoutSeconds: String(this.#watchSeconds()),
        },
        accept: acceptOf(this.#settings.selection, 'PartialObjectMetadata'),
        verb: 'watch',
        lane: 'stream',
        signal: session.end.signal,
      });
      session.isOpen = true;
      this.#deps.outage.answered();
      // Where the watch starts was told by a server that was away since; the end of the session closes it unread.
      if (!this.isCurrent) return { next: 'go on' };
      this.#deps.outage.opened(session.end.signal);
      for await (const frame of framesOf(chunks)) this.#take(frame, session);
    } catch (error) {
      if (!session.isOpen && isServerAway(error)) this.#deps.outage.missed();
      throw session.isSilent ? new SilentWatch() : error;
    } finally {
      session.end.abort();
      if (this.#deps.clock.nowMs() - session.startedAtMs >= SHORT_MS) this.#isRelisted = false;
    }
    return this.#afterClose(session);
  }

  #startSession(): WatchSession {
    const nowMs = this.#deps.clock.nowMs();
    const session = {
      startedAtMs: nowMs,
      heardAtMs: nowMs,
      frames: 0,
      isOpen: false,
      isSilent: false,
      end: new AbortController(),
    };
    const { signal } = session.end;
    this.#stopped.signal.addEventListener('abort', () => session.end.abort(), { signal });
    if (this.#stopped.signal.aborted) session.end.abort();
    void this.#endWhenSilent(session);
    return session;
  }

  async #endWhenSilent(session: WatchSession): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = session.end;
    while (!signal.aborted) {
      const silentMs = clock.nowMs() - session.heardAtMs;
      session.isSilent = silentMs >= SILENCE_MS;
      if (session.isSilent) session.end.abort();
      else await clock.sleep(SILENCE_MS - silentMs, signal);
    }
  }

  #take(frame: WatchFrame, session: WatchSession): void {
    session.frames += 1;
    session.heardAtMs = this.#deps.clock.nowMs();
    this.#lastFrameAtMs = session.heardAtMs;
    if (frame.type !== 'ERROR') this.#isRelisted = false;
    if (session.heardAtMs - session.startedAtMs >= HEALTHY_MS) this.#forgetFailures();
    if (frame.type === 'ERROR') throw errorFromStatus(frame.object, { verb: 'watch' });
    if (frame.type !== 'BOOKMARK') this.#feed(frame);
    this.#resourceVersion = stringAt(frame.object, 'metadata', 'resourceVersion') ?? this.#resourceVersion;
  }

  #feed(frame: WatchFrame): void {
    const object = objectOf(this.#settings.kind, frame.object, this.#settings.selection);
    if (object === undefined) throw new GarbledFrame();
    if (frame.type === 'DELETED') this.#store.drop(object);
    else this.#store.upsert(object);
  }

  /** The server ended the watch in good order. */
  #afterClose(session: WatchSession): Step {
    const nowMs = this.#deps.clock.nowMs();
    // A server that ends every watch at once would otherwise be asked thousands of times a second.
    if (session.frames === 0 && nowMs - session.startedAtMs < SHORT_MS) throw new ShortWatch();
    return { next: 'go on' };
  }

  #afterFailure(error: unknown): Step {
    if (this.#stopped.signal.aborted) return { next: 'go on' };
    const failure = error instanceof ClusterError ? error : unexpected(error);
    if (isOutdated(failure) && !this.#isRelisted) return this.#relist();
    this.#failures += 1;
    if (isKindUnknown(failure)) this.#deps.discovery.forget(groupOf(this.#settings.kind.apiVersion));
    this.#log(failure);
    if (this.#needsList(failure)) this.#resourceVersion = undefined;
    return {
      next: 'wait',
      waitMs: this.#waitAfterMs(failure),
      leastMs: failure.retryAfterMs ?? 0,
      isAway: failure.kind === 'unavailable',
    };
  }

  #waitAfterMs({ kind }: ClusterError): number {
    const { isOver, recoveries } = this.#deps.outage;
    const isSame = this.#tries?.kind === kind && this.#tries.recoveries === recoveries;
    const count = isSame ? (this.#tries?.count ?? 0) + 1 : 1;
    this.#tries = { kind, recoveries, count };
    if (kind !== 'unavailable') return this.#backoffMs(count, LAST_WAIT_MS);
    if (isOver) return this.#backoffMs(count, LAST_WAIT_UNAVAILABLE_MS);
    return this.#backoffMs(1, WAIT_AWAY_MS, WAIT_AWAY_MS);
  }

  #forgetFailures(): void {
    this.#failures = 0;
    this.#tries = undefined;
  }

  /**
   * What is too old is read anew at once, which is no failure: the server forgets its history after some minutes, and all
   * of it for a kind whose definition changes. Only a watch that cannot even begin after that list has failed.
   */
  #relist(): Step {
    this.#isRelisted = true;
    this.#resourceVersion = undefined;
    return { next: 'go on' };
  }

  /** A watch may go on from its last event after a mere loss of connection, not after anything that tells of a gap. */
  #needsList(failure: ClusterError): boolean {
    if (failure instanceof GarbledFrame || failure instanceof SilentWatch) return true;
    return failure.kind !== 'unavailable' || isOutdated(failure) || this.#failures >= RELIST_AFTER_FAILURES;
  }

  #log(failure: ClusterError): void {
    const { kind } = this.#settings.kind;
    const fields = { kind, failures: this.#failures, error: failure };
    if (this.#failures === RELIST_AFTER_FAILURES) this.#deps.logger.warn('a watch keeps failing', fields);
    else this.#deps.logger.debug('a watch failed', fields);
  }

  #backoffMs(attempts: number, lastMs: number, firstMs = FIRST_WAIT_MS): number {
    // Beyond 2^12 every limit is reached.
    const doubled = firstMs * 2 ** Math.min(attempts - 1, 12);
    return Math.min(doubled, lastMs) * (1 - this.#deps.random() / 5);
  }

  /** The server is to end the watch when the next list is due, if not before. */
  #watchSeconds(): number {
    const { clock, random } = this.#deps;
    const seconds = MIN_WATCH_S + random() * (MAX_WATCH_S - MIN_WATCH_S);
    const leftMs = this.#listIsDueAtMs - clock.nowMs();
    return Math.max(1, Math.ceil(Math.min(seconds, leftMs / 1000)));
  }

  async #wait({ waitMs, leastMs = 0, isAway = false }: Extract<Step, { next: 'wait' }>): Promise<void> {
    const { clock, outage } = this.#deps;
    const { recoveries } = outage;
    const { signal } = this.#wake;
    if (leastMs > 0) await clock.sleep(leastMs, signal);
    await outage.pause({ ms: waitMs - leastMs, recoveries, isAway, signal });
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }

  #becomes(state: Exclude<ReflectorState, 'starting'>, absences: number): void {
    const wasCurrent = this.isCurrent;
    this.#state = state;
    this.#absences = absences;
    if (state === 'live') this.#hasNews = false;
    this.#markSynced();
    if (!wasCurrent && this.isCurrent) this.#tellCurrency(true);
  }

  #tellCurrency(isCurrent: boolean): void {
    for (const handler of this.#currencyHandlers) handler(isCurrent);
  }
}

interface WatchSession {
  readonly startedAtMs: number;
  heardAtMs: number;
  frames: number;
  isOpen: boolean;
  isSilent: boolean;
  readonly end: AbortController;
}

class SilentWatch extends ClusterError {
  constructor() {
    super('the watch was silent for too long', { kind: 'unavailable', verb: 'watch' });
  }
}

class ShortWatch extends ClusterError {
  constructor() {
    super('the server ended the watch at once', { kind: 'unavailable', verb: 'watch' });
  }
}

/** Whoever is told to come later was told so by a server. */
function isServerAway(error: unknown): boolean {
  return isClusterError(error, 'unavailable') && error.httpStatus !== TOO_MANY;
}

/** A fault of ours; the loop must survive it all the same. */
function unexpected(cause: unknown): ClusterError {
  return new ClusterError('the watch failed for an unknown reason', {
    kind: 'unavailable',
    verb: 'watch',
    cause,
  });
}
