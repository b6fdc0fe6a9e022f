/**
 * The trees of objects that were read lately. Whoever looks at a resource reads each of its objects several times, and
 * at one resource several times in a row: packed alone, that would make a repair twice the work. At rest they are little.
 */
import type { K8sObject } from '../model/object.ts';
import type { Packed } from './packing.ts';
import { unpack } from './packing.ts';

/** In bytes of JSON, of which a tree takes about twice; the largest profile comes to three quarters of it. */
const LIMIT = 1_048_576;

export class Trees {
  /** Those that were read last come last. */
  readonly #trees = new Map<Packed, K8sObject>();
  readonly #limit: number;
  #size = 0;

  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /** The tree of an object that may soon be read again. */
  read(packed: Packed): K8sObject {
    const tree = this.peek(packed);
    this.drop(packed);
    this.keep(packed, tree);
    return tree;
  }

  /** The tree of an object, without remembering it. */
  peek(packed: Packed): K8sObject {
    return this.#trees.get(packed) ?? unpack(packed);
  }

  /** Remembers the tree that something was packed from. */
  keep(packed: Packed, tree: K8sObject): void {
    if (this.#trees.has(packed)) return;
    this.#trees.set(packed, tree);
    this.#size += packed.size;
    for (const oldest of this.#trees.keys()) {
      if (this.#size <= this.#limit) break;
      this.drop(oldest);
    }
  }

  /** Forgets what will not be read any more. */
  drop(packed: Packed): void {
    if (this.#trees.delete(packed)) this.#size -= packed.size;
  }
}
