/** All watches of this process, and what they know about an object. */
import type { WatchEvent, Watched, WatchOptions, WatchPort } from '../controller/watch.port.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { groupOf, labelsOf, refOf } from '../model/object.ts';
import type { WriteObserver } from './cluster.ts';
import { Definitions } from './definitions.ts';
import { labelMatcher } from './label-selector.ts';
import { Outage } from './outage.ts';
import type { ReflectorDeps, WatchDeps } from './reflector.ts';
import { Reflector } from './reflector.ts';
import { ObjectStore } from './store.ts';
import { Trees } from './trees.ts';

/**
 * What the watches can say about one object:
 * - `found`: its state; never older than what our own writes led to.
 * - `absent`: a watch that would hold it does not.
 * - `unknown`: no watch would surely hold it, or none is far enough.
 */
export type Sight =
  | { readonly kind: 'found'; readonly object: K8sObject }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

export interface Watches extends WatchPort, WriteObserver {
  sightOf(ref: ObjectRef): Sight;
  /**
   * For metrics: how long the worst watch of each kind has heard nothing, in milliseconds. A kind that is not served has
   * nothing to tell, so it has no age.
   */
  ages(): ReadonlyMap<string, number>;
  stopAll(): void;
}

export function createWatches(deps: WatchDeps): Watches {
  return new WatchRegistry(deps);
}

class WatchRegistry implements Watches {
  readonly #deps: ReflectorDeps;
  readonly #definitions: Definitions;
  readonly #views = new Set<View>();
  readonly #trees = new Trees();

  constructor(deps: WatchDeps) {
    const outage = new Outage(deps);
    this.#definitions = new Definitions({ ...deps, outage });
    this.#deps = { ...deps, outage, definitions: this.#definitions };
  }

  watch(kind: GroupVersionKind, options: WatchOptions): Watched {
    const stopped = (): void => this.#leave(view);
    const view: View = new View(this.#deps, kind, options, { trees: this.#trees, stopped });
    this.#views.add(view);
    return view;
  }

  sightOf(ref: ObjectRef): Sight {
    const views = [...this.#views].filter((view) => view.answersFor(ref));
    for (const view of views) {
      const object = view.get(ref);
      if (object !== undefined) return { kind: 'found', object };
    }
    return { kind: views.some((view) => view.holdsAll) ? 'absent' : 'unknown' };
  }

  stored(object: K8sObject): void {
    for (const view of this.#views) view.observe(object);
  }

  deleted(ref: ObjectRef, uid: string | undefined): void {
    for (const view of this.#views) view.observeDeleted(ref, uid);
  }

  ages(): ReadonlyMap<string, number> {
    const ages = new Map<string, number>();
    for (const view of this.#views) {
      if (view.isUnserved) continue;
      const { kind } = view.kind;
      ages.set(kind, Math.max(ages.get(kind) ?? 0, view.ageMs()));
    }
    return ages;
  }

  stopAll(): void {
    for (const view of this.#views) view.stop();
  }

  #leave(view: View): void {
    this.#views.delete(view);
    if (this.#views.size === 0) this.#definitions.stop();
  }
}

/** What a watch for metadata only would show of an object. */
function metadataOf(object: K8sObject): K8sObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...metadata, name: object.metadata.name },
  };
}

/** What a view shares with the others. */
interface ViewRegistry {
  readonly trees: Trees;
  readonly stopped: () => void;
}

/** One watch: a store, the reflector that feeds it, and what it selects. */
class View implements Watched {
  readonly kind: GroupVersionKind;
  readonly synced: Promise<void>;
  readonly #options: WatchOptions;
  readonly #store: ObjectStore;
  readonly #deps: ReflectorDeps;
  #reflector: Reflector;
  readonly #markSynced: () => void;
  readonly #selects: (labels: Readonly<Record<string, string>>) => boolean;
  readonly #onStop: () => void;
  readonly #syncHandlers = new Set<(isSynced: boolean) => void>();

  constructor(deps: ReflectorDeps, kind: GroupVersionKind, options: WatchOptions, registry: ViewRegistry) {
    this.kind = kind;
    this.#deps = deps;
    this.#options = options;
    this.#onStop = registry.stopped;
    this.#selects = labelMatcher(options.labelSelector ?? '');
    this.#store = new ObjectStore(deps.logger, registry.trees);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
    this.#reflector = this.#reflect();
  }

  /** Holds every object of its kind and namespace, so that what it lacks does not exist. */
  get holdsAll(): boolean {
    return this.#options.labelSelector === undefined && this.#options.fieldSelector === undefined;
  }

  get isUnserved(): boolean {
    return this.#reflector.state === 'unserved';
  }

  isSynced(): boolean {
    return this.#reflector.isCurrent;
  }

  onSync(handler: (isSynced: boolean) => void): () => void {
    this.#syncHandlers.add(handler);
    return () => this.#syncHandlers.delete(handler);
  }

  get(ref: ObjectRef): K8sObject | undefined {
    return this.#store.get(ref);
  }

  list(): readonly K8sObject[] {
    return this.#store.list();
  }

  onChange(handler: (event: WatchEvent) => void): () => void {
    return this.#store.onChange(handler);
  }

  async refresh(): Promise<void> {
    this.#reflector.stop();
    this.#reflector = this.#reflect();
    await this.#reflector.synced;
  }

  #reflect(): Reflector {
    const settings = { kind: this.kind, selection: this.#options };
    const reflector = new Reflector(this.#deps, settings, this.#store);
    reflector.onCurrency((isCurrent) => {
      for (const handler of this.#syncHandlers) handler(isCurrent);
    });
    // The first one may be stopped before it gets there.
    void reflector.synced.then(this.#markSynced);
    return reflector;
  }

  stop(): void {
    this.#reflector.stop();
    this.#onStop();
  }

  ageMs(): number {
    return this.#reflector.lastEventAgeMs();
  }

  /** Tells that what it holds is the object as the API would give it, in the version that is asked for. */
  answersFor(ref: ObjectRef): boolean {
    return (
      this.#reflector.state === 'live' &&
      this.#reflector.isCurrent &&
      this.#options.metadataOnly !== true &&
      this.kind.apiVersion === ref.apiVersion &&
      this.#covers(ref)
    );
  }

  observe(object: K8sObject): void {
    if (!this.#covers(refOf(object)) || object.apiVersion !== this.kind.apiVersion) return;
    // What a field selector selects cannot be told here; the watch will tell.
    if (this.#options.fieldSelector !== undefined) return;
    const seen = this.#options.metadataOnly === true ? metadataOf(object) : object;
    if (this.#selects(labelsOf(object))) this.#store.observe(seen);
    else this.#store.drop(seen);
  }

  observeDeleted(ref: ObjectRef, uid: string | undefined): void {
    if (this.#covers(ref)) this.#store.observeDeleted(ref, uid);
  }

  #covers(ref: ObjectRef): boolean {
    const { namespace } = this.#options;
    return (
      this.kind.kind === ref.kind &&
      groupOf(this.kind.apiVersion) === groupOf(ref.apiVersion) &&
      (namespace === undefined || namespace === ref.namespace)
    );
  }
}
