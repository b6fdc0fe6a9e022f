/** What one process of the operator has of the cluster: its watches, and calls that may fail or never be answered. */
import type { ApplyOptions, ClusterPort, DeleteOptions, ListOptions } from '../../../apply/cluster.port.ts';
import type { ClusterError } from '../../../model/cluster-error.ts';
import type { JsonObject } from '../../../model/json.ts';
import { stringAt } from '../../../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../../../model/object.ts';
import { displayRef, identityOf, labelsOf, namespaceOf, refOf, uidOf } from '../../../model/object.ts';
import type { ResourcePort, WatchEvent, WatchOptions, WatchPort, Watched } from '../../watch.port.ts';
import type { ModelApi } from './model-api.ts';

export type Verb =
  'get' | 'list' | 'scan' | 'version' | 'apply' | 'dry-run' | 'delete' | 'patch status' | 'set finalizers';

export interface Request {
  readonly verb: Verb;
  readonly target: string;
}

/** What becomes of a request. */
export type Fate =
  | { readonly kind: 'answered' }
  | { readonly kind: 'refused'; readonly error: ClusterError }
  /** Done, but the caller gets an error. */
  | { readonly kind: 'unanswered'; readonly error: ClusterError }
  /** Done twice; the caller gets the second answer. */
  | { readonly kind: 'repeated' }
  /** The process is dead before it could hear anything. */
  | { readonly kind: 'orphaned'; readonly isDone: boolean };

/** The cluster around the API server, as far as a request meets it. */
export interface Surroundings {
  readonly api: ModelApi;
  /** Decides about a request before it is done. */
  fateOf(request: Request): Fate;
  /** Told when a request was done. */
  done(request: Request): void;
  created(object: K8sObject): void;
  deleted(object: K8sObject): void;
  /** RFC 3339. */
  now(): string;
  /** Objects that only the cluster's own controllers make. */
  derived(kind: string): readonly K8sObject[];
}

export type Ports = ClusterPort & ResourcePort & WatchPort;

export class Connection implements ClusterPort, ResourcePort, WatchPort {
  readonly #surroundings: Surroundings;
  readonly #views = new Map<string, View[]>();
  /** Identities whose latest change has not been heard of yet. */
  readonly #unheard = new Map<string, ObjectRef>();
  isDead = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Whether there is news on its way. */
  get hasNews(): boolean {
    return this.#unheard.size > 0;
  }

  /** Lets the watches hear of a change, at once or when nothing else is going on any more. */
  tell(ref: ObjectRef, isLate: boolean): void {
    if (isLate) this.#unheard.set(identityOf(ref), ref);
    else this.#hear(ref);
  }

  tellNews(): void {
    const refs = [...this.#unheard.values()];
    this.#unheard.clear();
    for (const ref of refs) this.#hear(ref);
  }

  watch(kind: GroupVersionKind, options: WatchOptions): Watched {
    const view = new View(kind, options);
    this.#views.set(kind.kind, [...(this.#views.get(kind.kind) ?? []), view]);
    for (const [identity, { object }] of this.#surroundings.api.entries()) view.see(identity, object);
    return view;
  }

  /** As the real cluster with its cache: what a watch holds costs no request. */
  async get(ref: ObjectRef): Promise<K8sObject | undefined> {
    const identity = identityOf(ref);
    const seen = this.#views
      .get(ref.kind)
      ?.map((view) => view.find(identity))
      .find((object) => object);
    if (seen !== undefined) return seen;
    return this.#call({ verb: 'get', target: displayRef(ref) }, (api) => api.read(ref));
  }

  async list(kind: GroupVersionKind, options: ListOptions): Promise<readonly K8sObject[]> {
    const selects = matcherOf(options.labelSelector ?? '');
    return this.#call({ verb: 'list', target: kind.kind }, (api) => {
      const stored = [...api.entries()].map(([, { object }]) => object);
      return [...stored, ...this.#surroundings.derived(kind.kind)]
        .filter((object) => object.kind === kind.kind && namespaceOf(object) === options.namespace)
        .filter((object) => selects(labelsOf(object)));
    });
  }

  async apply(object: K8sObject, { dryRun }: Pick<ApplyOptions, 'dryRun'>): Promise<K8sObject> {
    const ref = refOf(object);
    if (dryRun === true)
      return this.#call({ verb: 'dry-run', target: displayRef(ref) }, (api) => api.apply(object, { dryRun }));
    const act = (api: ModelApi): K8sObject => {
      const isNew = api.read(ref) === undefined;
      const stored = api.apply(object, {});
      if (isNew) this.#surroundings.created(stored);
      return stored;
    };
    return this.#call({ verb: 'apply', target: displayRef(ref) }, act, ref);
  }

  async replaceManagedFields(live: K8sObject): Promise<K8sObject> {
    throw new Error(`${displayRef(refOf(live))} was adopted, which only the real API server can answer`);
  }

  async delete(ref: ObjectRef, { uid }: DeleteOptions): Promise<'accepted' | 'absent'> {
    const act = (api: ModelApi): 'accepted' | 'absent' => {
      const before = api.read(ref);
      const isDeleted = api.delete(ref, { uid, now: this.#surroundings.now() });
      if (isDeleted && before !== undefined) this.#surroundings.deleted(before);
      return isDeleted ? 'accepted' : 'absent';
    };
    const outcome = await this.#call({ verb: 'delete', target: displayRef(ref) }, act, ref);
    if (outcome === 'absent') for (const view of this.#viewsOf(ref)) view.forget(identityOf(ref), uid);
    return outcome;
  }

  async patchStatus(
    ref: ObjectRef,
    status: JsonObject,
    { resourceVersion }: { readonly resourceVersion?: string },
  ): Promise<K8sObject> {
    const request: Request = { verb: 'patch status', target: displayRef(ref) };
    return this.#call(request, (api) => api.patchStatus(ref, status, resourceVersion), ref);
  }

  async setFinalizers(
    ref: ObjectRef,
    finalizers: readonly string[],
    { resourceVersion }: { readonly resourceVersion: string },
  ): Promise<K8sObject> {
    const request: Request = { verb: 'set finalizers', target: displayRef(ref) };
    return this.#call(request, (api) => api.setFinalizers(ref, finalizers, resourceVersion), ref);
  }

  /** Events are written in the background and decide nothing. */
  async createEvent(): Promise<void> {}

  async scanMetadata({ kind }: GroupVersionKind, show: (object: K8sObject) => void): Promise<void> {
    await this.#call({ verb: 'scan', target: kind }, (api) => {
      for (const [, { object }] of api.entries()) if (object.kind === kind) show(object);
    });
  }

  async serverVersion(): Promise<string> {
    return this.#call({ verb: 'version', target: 'server' }, () => 'v1.34.4');
  }

  /** With `written`, the watches hear of the object before the caller does, unless the caller gets no answer. */
  async #call<T>(request: Request, act: (api: ModelApi) => T, written?: ObjectRef): Promise<T> {
    const { api } = this.#surroundings;
    const fate: Fate = this.isDead ? { kind: 'orphaned', isDone: false } : this.#surroundings.fateOf(request);
    if (fate.kind === 'refused') throw fate.error;
    if (fate.kind === 'orphaned') {
      if (fate.isDone) this.#do(request, () => attempt(() => act(api)));
      return nothing();
    }
    if (fate.kind === 'repeated') this.#do(request, () => attempt(() => act(api)));
    const result = this.#do(request, () => act(api));
    if (fate.kind === 'unanswered') throw fate.error;
    if (written !== undefined) this.#hear(written);
    return result;
  }

  #do<T>(request: Request, act: () => T): T {
    const result = act();
    this.#surroundings.done(request);
    return result;
  }

  #hear(ref: ObjectRef): void {
    const identity = identityOf(ref);
    const now = this.#surroundings.api.read(ref);
    this.#unheard.delete(identity);
    for (const view of this.#viewsOf(ref)) view.see(identity, now);
  }

  #viewsOf({ kind }: ObjectRef): readonly View[] {
    return this.#views.get(kind) ?? [];
  }
}

/** What nobody waits for may fail. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

async function nothing<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

/** One watch, as far as its process has heard. */
class View implements Watched {
  readonly synced = Promise.resolve();
  readonly #kind: GroupVersionKind;
  readonly #selects: (labels: Readonly<Record<string, string>>) => boolean;
  readonly #fieldSelector: string | undefined;
  readonly #objects = new Map<string, K8sObject>();
  readonly #handlers = new Set<(event: WatchEvent) => void>();

  constructor(kind: GroupVersionKind, { labelSelector = '', fieldSelector }: WatchOptions) {
    this.#kind = kind;
    this.#selects = matcherOf(labelSelector);
    this.#fieldSelector = fieldSelector;
  }

  isSynced(): boolean {
    return true;
  }

  /** The server of a model is never away from all. */
  onSync(): () => void {
    return () => undefined;
  }

  find(identity: string): K8sObject | undefined {
    return this.#objects.get(identity);
  }

  get(ref: ObjectRef): K8sObject | undefined {
    return this.#objects.get(identityOf(ref));
  }

  list(): readonly K8sObject[] {
    return [...this.#objects.values()];
  }

  onChange(handler: (event: WatchEvent) => void): () => void {
    this.#handlers.add(handler);
    for (const object of this.#objects.values()) handler({ type: 'added', object });
    return () => this.#handlers.delete(handler);
  }

  /** Only a follower that takes the lead asks for it; here every process leads from its start. */
  async refresh(): Promise<void> {
    await this.synced;
  }

  stop(): void {
    this.#handlers.clear();
  }

  see(identity: string, now: K8sObject | undefined): void {
    const old = this.#objects.get(identity);
    const object = now !== undefined && this.#isSelected(now) ? now : undefined;
    if (old === object) return;
    if (object === undefined) this.#objects.delete(identity);
    else this.#objects.set(identity, object);
    for (const event of eventsBetween(old, object)) for (const handler of this.#handlers) handler(event);
  }

  forget(identity: string, uid: string | undefined): void {
    const old = this.#objects.get(identity);
    if (old !== undefined && (uid === undefined || uidOf(old) === uid)) this.see(identity, undefined);
  }

  #isSelected(object: K8sObject): boolean {
    if (object.kind !== this.#kind.kind || object.apiVersion !== this.#kind.apiVersion) return false;
    if (this.#fieldSelector !== undefined && this.#fieldSelector !== `metadata.name=${object.metadata.name}`)
      return false;
    return this.#selects(labelsOf(object));
  }
}

/** An object that took the name of another one is told as two events. */
function eventsBetween(old: K8sObject | undefined, now: K8sObject | undefined): readonly WatchEvent[] {
  if (old === undefined) return now === undefined ? [] : [{ type: 'added', object: now }];
  if (now === undefined) return [{ type: 'deleted', object: old }];
  if (uidOf(old) === uidOf(now)) return isNewer(now, old) ? [{ type: 'updated', object: now, old }] : [];
  return [
    { type: 'deleted', object: old },
    { type: 'added', object: now },
  ];
}

function isNewer(now: K8sObject, old: K8sObject): boolean {
  return stringAt(now, 'metadata', 'resourceVersion') !== stringAt(old, 'metadata', 'resourceVersion');
}

type Matcher = (labels: Readonly<Record<string, string>>) => boolean;

const matchers = new Map<string, Matcher>();

/** `a`, `a=b` and `!a`, joined by commas: what the operator uses. */
function matcherOf(selector: string): Matcher {
  const known = matchers.get(selector);
  if (known !== undefined) return known;
  const terms = selector.split(',').filter((term) => term !== '');
  const tests = terms.map((term): Matcher => {
    const [name = '', value] = term.split('=');
    if (name.startsWith('!')) return (labels) => labels[name.slice(1)] === undefined;
    return (labels) => (value === undefined ? labels[name] !== undefined : labels[name] === value);
  });
  const matcher: Matcher = (labels) => tests.every((test) => test(labels));
  matchers.set(selector, matcher);
  return matcher;
}
