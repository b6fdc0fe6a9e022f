/** What is remembered of watched objects, so that asking about all of them does not mean reading each. */
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { Watched } from './watch.port.ts';

/** Follows a watch from its beginning; keeps a note of each object that `noteOf` makes one of. */
export class Notes<T> {
  readonly #notes = new Map<string, T>();

  constructor(watched: Pick<Watched, 'onChange'>, noteOf: (object: K8sObject) => T | undefined) {
    watched.onChange(({ type, object }) => {
      const identity = identityOf(refOf(object));
      const note = type === 'deleted' ? undefined : noteOf(object);
      if (note === undefined) this.#notes.delete(identity);
      else this.#notes.set(identity, note);
    });
  }

  /** As of the last event; undefined where there is no such object, or nothing to note of it. */
  of(ref: ObjectRef): T | undefined {
    return this.#notes.get(identityOf(ref));
  }

  /** As of the last event. */
  all(): readonly T[] {
    return [...this.#notes.values()];
  }
}
