/** All watches of the controller. They only put keys into the queue. */
import { INJECTOR_SELECTOR, reachOf } from '../core/objects/injectors.ts';
import { jsonEqual } from '../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import { labelsOf, refOf } from '../model/object.ts';
import type { LabelledHolder } from './claims.ts';
import { ownerKeyOf, ownersConcerned } from './drift.ts';
import { Notes } from './notes.ts';
import { ISTIO_OPERATOR, asksForALook, deletionTimeMs, keyOfResource, refOfKey } from './resource.ts';
import { watchServedKinds } from './served-kinds.ts';
import { INJECTORS, OWNED_KINDS, ownedSelector } from './watch-table.ts';
import type { WatchEvent, WatchPort, Watched } from './watch.port.ts';

export interface Watches {
  /** Resolves once everything was listed. Nothing may be reconciled before: unknown is not absent. */
  readonly synced: Promise<void>;
  /** Whether the resource of that key is as the server has it. While that is away it may be of a past that never was. */
  isCurrent(key: string): boolean;
  resource(key: string): K8sObject | undefined;
  /** The resource that a watched object says it belongs to, if that is another one and exists. */
  holder(key: string, ref: ObjectRef): LabelledHolder | undefined;
  /** Whether a watched object says that it belongs to another resource, living or not. */
  isOfAnother(key: string, ref: ObjectRef): boolean;
  /** The version on the label of the istiod that belongs to a resource. */
  labelledVersion(key: string): string | undefined;
  /** The watched objects that say they belong to a resource. */
  labelled(key: string): readonly ObjectRef[];
  /** All injection webhooks, whoever made them. */
  injectors(): readonly K8sObject[];
  /** Of all IstioOperators, without reading any. */
  keys(): readonly string[];
  /** What `stateOf` made of a resource when it was last seen; undefined when there is none of that key. */
  stateOf(key: string): string | undefined;
  /** What `isHeavy` said of a resource when it was last seen; false when there is none of that key. */
  isHeavy(key: string): boolean;
  /** Resolves once what others may have changed up to now, and must not be missed, is known. */
  refresh(): Promise<void>;
  /** Of the kinds that planning asks about, those that are served; as in ClusterFacts. */
  servedKinds(): readonly string[];
  stop(): void;
}

/**
 * Why a resource may need a look: something happened to what it `installed`, which may be drift and is soon repaired; or
 * the `resource` itself, or the cluster around it, has changed.
 */
export type Cause = 'installed' | 'resource';

export interface WatchSettings {
  /** All when there is none. */
  readonly namespaces: readonly string[];
  /** Names a state of a resource, which is remembered so that nobody has to read the resource for it. */
  readonly stateOf: (resource: K8sObject) => string;
  /** Whether to plan it may take long. */
  readonly isHeavy: (resource: K8sObject) => boolean;
}

export interface WatchListener {
  /** Gets the key of each IstioOperator that something may have to be done about. */
  readonly enqueue: (key: string, cause: Cause) => void;
  /** The resources are not current any more; all that remain are enqueued when they are again. */
  readonly lost: () => void;
}

/** Starts all watches. */
export function watchAll(
  watch: WatchPort,
  { namespaces, ...noting }: WatchSettings,
  { enqueue, lost }: WatchListener,
): Watches {
  const resources = watchResources(watch, namespaces);
  const followed = resources.map((watched) => ({ watched, notes: statesIn(watched, noting) }));
  const states = followed.map(({ notes }) => notes);
  const keys = (): readonly string[] => states.flatMap((notes) => notes.all()).map(({ key }) => key);
  const stateOfKey = (key: string): string | undefined => stateIn(states, key)?.state;
  const owned = OWNED_KINDS.map((kind) => ({
    kind,
    watched: watch.watch(kind, { labelSelector: ownedSelector(kind) }),
  }));
  const belongings = owned.map(belongingsIn);
  const istiods = owned.filter(({ kind }) => kind.kind === 'Deployment').map(istiodsIn);
  const injectors = watch.watch(INJECTORS, { labelSelector: INJECTOR_SELECTOR });
  const find = (key: string): K8sObject | undefined => resourceIn(resources, key);
  const isThere = (key: string): boolean => stateOfKey(key) !== undefined;
  for (const each of followed) follow(each, { enqueue, lost });
  for (const { watched } of owned) {
    watched.onChange((event) => enqueueOwners(event, isThere, (key) => enqueue(key, 'installed')));
  }
  // Which injectors there are decides what others may do.
  injectors.onChange((event) => {
    // The watch of our own webhooks may have been first: when it told that one of them lost its labels, this one, which
    // answers for it since, may still have shown it as it was.
    if (event.type === 'updated') enqueueOwners(event, isThere, (key) => enqueue(key, 'installed'));
    if (!isReachChanged(event)) return;
    for (const key of keys()) enqueue(key, 'resource');
  });
  const served = watchServedKinds(watch, () => {
    for (const key of keys()) enqueue(key, 'resource');
  });
  const all = [...resources, ...owned.map(({ watched }) => watched), injectors, ...served.definitions];
  return {
    synced: Promise.all(all.map(async (watched) => watched.synced)).then(() => undefined),
    isCurrent: (key) => isCurrentIn(resources, namespaces.indexOf(refOfKey(key).namespace ?? '')),
    resource: find,
    holder: (key, ref) => {
      const labelled = labelledHolder(owned, ref);
      return labelled !== undefined && labelled.key !== key && isThere(labelled.key) ? labelled : undefined;
    },
    isOfAnother: (key, ref) => {
      const owner = labelledHolder(owned, ref)?.key;
      return owner !== undefined && owner !== key;
    },
    labelled: (key) => labelledObjects(belongings, key),
    injectors: () => injectors.list(),
    labelledVersion: (key) => versionOfIstiod(istiods, key),
    keys,
    stateOf: stateOfKey,
    isHeavy: (key) => stateIn(states, key)?.isHeavy === true,
    refresh: async () => {
      await Promise.all([...resources, injectors].map(async (watched) => watched.refresh()));
    },
    servedKinds: () => served.names(),
    stop: () => {
      for (const watched of all) watched.stop();
    },
  };
}

function watchResources(watch: WatchPort, namespaces: readonly string[]): readonly Watched[] {
  if (namespaces.length === 0) return [watch.watch(ISTIO_OPERATOR, {})];
  return namespaces.map((namespace) => watch.watch(ISTIO_OPERATOR, { namespace }));
}

function follow({ watched, notes }: FollowedWatch, { enqueue, lost }: WatchListener): void {
  watched.onChange((event) => {
    if (event.type !== 'updated' || asksForALook(event.old, event.object))
      enqueue(keyOfResource(event.object), 'resource');
  });
  // Of a restored server even the same generation may be another specification, or have a status of before.
  watched.onSync((isSynced) => {
    if (!isSynced) lost();
    else for (const { key } of notes.all()) enqueue(key, 'resource');
  });
}

/** One watch of all namespaces has no index of its own. */
function isCurrentIn(resources: readonly Watched[], index: number): boolean {
  return resources[Math.max(0, index)]?.isSynced() === true;
}

function resourceIn(resources: readonly Watched[], key: string): K8sObject | undefined {
  for (const watched of resources) {
    const resource = watched.get(refOfKey(key));
    if (resource !== undefined) return resource;
  }
  return undefined;
}

interface NotedState {
  readonly key: string;
  readonly state: string;
  readonly isHeavy: boolean;
}

interface FollowedWatch {
  readonly watched: Watched;
  readonly notes: Notes<NotedState>;
}

function statesIn(
  watched: Watched,
  { stateOf, isHeavy }: Pick<WatchSettings, 'stateOf' | 'isHeavy'>,
): Notes<NotedState> {
  return new Notes(watched, (resource) => ({
    key: keyOfResource(resource),
    state: stateOf(resource),
    isHeavy: isHeavy(resource),
  }));
}

function stateIn(states: readonly Notes<NotedState>[], key: string): NotedState | undefined {
  const ref = refOfKey(key);
  return states.map((notes) => notes.of(ref)).find((noted) => noted !== undefined);
}

interface OwnedWatch {
  readonly kind: GroupVersionKind;
  readonly watched: Watched;
}

function labelledHolder(owned: readonly OwnedWatch[], ref: ObjectRef): LabelledHolder | undefined {
  for (const { kind, watched } of owned) {
    const live = kind.kind === ref.kind ? watched.get(ref) : undefined;
    const key = live && ownerKeyOf(live);
    if (live !== undefined) return key === undefined ? undefined : { key, live };
  }
  return undefined;
}

interface Belonging {
  readonly ref: ObjectRef;
  readonly ownerKey: string;
}

/** What is on its way out already says nothing any more. */
function belongingsIn({ watched }: OwnedWatch): Notes<Belonging> {
  return new Notes(watched, (object) => {
    const ownerKey = deletionTimeMs(object) === undefined ? ownerKeyOf(object) : undefined;
    return ownerKey === undefined ? undefined : { ref: refOf(object), ownerKey };
  });
}

function labelledObjects(belongings: readonly Notes<Belonging>[], key: string): readonly ObjectRef[] {
  return belongings
    .flatMap((notes) => notes.all())
    .filter(({ ownerKey }) => ownerKey === key)
    .map(({ ref }) => ref);
}

interface Istiod {
  readonly ownerKey: string | undefined;
  readonly version: string | undefined;
}

function istiodsIn({ watched }: OwnedWatch): Notes<Istiod> {
  return new Notes(watched, (object) =>
    isPilot(object)
      ? { ownerKey: ownerKeyOf(object), version: labelsOf(object)['operator.istio.io/version'] }
      : undefined,
  );
}

function versionOfIstiod(istiods: readonly Notes<Istiod>[], key: string): string | undefined {
  return istiods.flatMap((notes) => notes.all()).find(({ ownerKey }) => ownerKey === key)?.version;
}

function isPilot(object: K8sObject): boolean {
  return labelsOf(object)['operator.istio.io/component'] === 'Pilot';
}

/** istiod writes its certificate authority into these webhooks again and again; only whom they reach counts. */
function isReachChanged(event: WatchEvent): boolean {
  return event.type !== 'updated' || !jsonEqual(reachOf(event.old), reachOf(event.object));
}

/** Owners that do not exist are none of our concern: istioctl uses the same labels. */
function enqueueOwners(
  event: WatchEvent,
  isThere: (key: string) => boolean,
  enqueue: (key: string) => void,
): void {
  for (const key of ownersConcerned(event)) {
    if (isThere(key)) enqueue(key);
  }
}
