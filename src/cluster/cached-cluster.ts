/** A cluster whose reads are answered by the watches where those know, so that a reconcile at rest costs no call. */
import type { Cluster } from './cluster.ts';
import type { Watches } from './watches.ts';

/**
 * A read is answered from a watch when it holds the object, or when it would hold every object of the kind and does
 * not hold this one. A watch with a selector says nothing about objects without its label, so a miss there goes to the
 * server, each time: an object that somebody made without our label is exactly what must not be overlooked. At rest
 * every object of a plan carries the label, so there are no misses. `absent` is never remembered beyond the watches.
 *
 * The cluster must have the watches as its observer; then no answer is older than what a write returned.
 */
export function withCache(cluster: Cluster, watches: Watches): Cluster {
  return {
    get: async (ref, options) => {
      const sight = watches.sightOf(ref);
      switch (sight.kind) {
        case 'found':
          return sight.object;
        case 'absent':
          return undefined;
        case 'unknown':
          return cluster.get(ref, options);
      }
    },
    apply: (object, options) => cluster.apply(object, options),
    replaceManagedFields: (live, fields, options) => cluster.replaceManagedFields(live, fields, options),
    delete: (ref, options) => cluster.delete(ref, options),
    list: (kind, options) => cluster.list(kind, options),
    scanMetadata: (kind, show, options) => cluster.scanMetadata(kind, show, options),
    patchStatus: (ref, status, options) => cluster.patchStatus(ref, status, options),
    setFinalizers: (ref, finalizers, options) => cluster.setFinalizers(ref, finalizers, options),
    createEvent: (event, options) => cluster.createEvent(event, options),
    serverVersion: (options) => cluster.serverVersion(options),
  };
}
