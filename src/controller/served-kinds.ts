/** Which kinds of other projects the cluster serves, as far as planning asks about them. */
import { readinessOf } from '../apply/readiness.ts';
import { MONITORING_KINDS, servedName } from '../core/values/addons/monitors.ts';
import type { K8sObject } from '../model/object.ts';
import { Notes } from './notes.ts';
import type { WatchPort, Watched } from './watch.port.ts';

const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };

export interface ServedKinds {
  /** One watch for each kind. */
  readonly definitions: readonly Watched[];
  /** As in ClusterFacts; complete once the watches are synced. */
  names(): readonly string[];
}

/** Watches the definitions themselves, one by name each; `changed` is called when a kind comes or goes. */
export function watchServedKinds(watch: WatchPort, changed: () => void): ServedKinds {
  const kinds = MONITORING_KINDS.map(({ kind, definition }) => ({
    name: servedName(kind),
    definition,
    watched: watch.watch(DEFINITION, { fieldSelector: `metadata.name=${definition}` }),
  }));
  const established = kinds.map(({ name, definition, watched }) => establishedIn(watched, definition, name));
  for (const { watched } of kinds) {
    watched.onChange((event) => {
      const was = event.type === 'updated' ? isEstablished(event.old) : event.type === 'deleted';
      const is = event.type === 'deleted' ? false : isEstablished(event.object);
      if (was !== is) changed();
    });
  }
  return {
    definitions: kinds.map(({ watched }) => watched),
    names: () => established.flatMap((notes) => notes.all()),
  };
}

/** The name itself, once the kind is served. */
function establishedIn(watched: Watched, definition: string, name: string): Notes<string> {
  return new Notes(watched, (object) =>
    object.metadata.name === definition && isEstablished(object) ? name : undefined,
  );
}

/** Before that, the API server refuses objects of the kind. */
function isEstablished(definition: K8sObject): boolean {
  return readinessOf(definition).kind === 'ready';
}
