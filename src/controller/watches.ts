/** All watches of the controller. They only put keys into the queue. */
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { ownerKeyOf, ownersConcerned } from './drift.ts';
import { ISTIO_OPERATOR, asksForALook, keyOfResource, refOfKey } from './resource.ts';
import { watchServedKinds } from './served-kinds.ts';
import { OWNED_KINDS, ownedSelector } from './watch-table.ts';
import type { WatchEvent, WatchPort, Watched } from './watch.port.ts';

export interface Watches {
  /** Resolves once everything was listed. Nothing may be reconciled before: unknown is not absent. */
  readonly synced: Promise<void>;
  resource(key: string): K8sObject | undefined;
  /** The key of the resource that a watched object says it belongs to, if that is another one and exists. */
  holder(key: string, ref: ObjectRef): string | undefined;
  /** How many IstioOperators there are. */
  count(): number;
  /** Of the kinds that planning asks about, those that are served; as in ClusterFacts. */
  servedKinds(): readonly string[];
  stop(): void;
}

/** Starts all watches. `enqueue` gets the key of each IstioOperator that something may have to be done about. */
export function watchAll(
  watch: WatchPort,
  namespaces: readonly string[],
  enqueue: (key: string) => void,
): Watches {
  const resources = watchResources(watch, namespaces);
  const owned = OWNED_KINDS.map((kind) => watch.watch(kind, { labelSelector: ownedSelector(kind) }));
  const find = (key: string): K8sObject | undefined => resourceIn(resources, key);
  for (const watched of resources) {
    watched.onChange((event) => {
      if (event.type !== 'updated' || asksForALook(event.old, event.object))
        enqueue(keyOfResource(event.object));
    });
  }
  for (const watched of owned) {
    watched.onChange((event) => enqueueOwners(event, find, enqueue));
  }
  const served = watchServedKinds(watch, () => {
    for (const watched of resources) for (const object of watched.list()) enqueue(keyOfResource(object));
  });
  const all = [...resources, ...owned, ...served.definitions];
  return {
    synced: Promise.all(all.map(async (watched) => watched.synced)).then(() => undefined),
    resource: find,
    holder: (key, ref) => {
      const owner = ownerOfWatched(owned, ref);
      return owner !== undefined && owner !== key && find(owner) !== undefined ? owner : undefined;
    },
    count: () => resources.reduce((sum, watched) => sum + watched.list().length, 0),
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

function resourceIn(resources: readonly Watched[], key: string): K8sObject | undefined {
  for (const watched of resources) {
    const resource = watched.get(refOfKey(key));
    if (resource !== undefined) return resource;
  }
  return undefined;
}

function ownerOfWatched(owned: readonly Watched[], ref: ObjectRef): string | undefined {
  for (const watched of owned) {
    const object = watched.get(ref);
    if (object !== undefined) return ownerKeyOf(object);
  }
  return undefined;
}

/** Owners that do not exist are none of our concern: istioctl uses the same labels. */
function enqueueOwners(
  event: WatchEvent,
  find: (key: string) => K8sObject | undefined,
  enqueue: (key: string) => void,
): void {
  for (const key of ownersConcerned(event)) {
    if (find(key) !== undefined) enqueue(key);
  }
}
