/**
 * Keeps an object in a fraction of the memory of its tree: as compressed JSON, which is parsed anew each time it is
 * asked for. A tree takes twice its JSON, most of it `managedFields`; what is kept takes a tenth of the tree, and a
 * hundredth where another object of the kind resembles it, as those of a hundred gateways do.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { K8sObject } from '../model/object.ts';

export interface Packed {
  /** A character for each byte: other than buffers, texts lie in the heap, side by side, and move together. */
  readonly text: string;
  /** Of the JSON, in bytes. */
  readonly size: number;
  /** What it was compressed against. */
  readonly sample: Uint8Array | undefined;
}

/** Compression looks no further back. */
const LONGEST_SAMPLE = 32_768;
/** Each is held as it is, so there are few; a kind has about so many different makers of its objects. */
const MOST_SAMPLES = 3;
/** In bytes of JSON. To compress such an object well would hold up everything else for more than a tenth of a second. */
const LARGE = 262_144;
/** An object that shrinks less resembles nothing that came before. */
const GOOD_RATIO = 10;

/** Packs the objects of one kind. Whatever resembles no earlier one becomes the sample for those after it. */
export class Packer {
  #sample: Uint8Array | undefined;
  #samples = 0;

  pack(object: K8sObject): Packed {
    const json = Buffer.from(JSON.stringify(object));
    const sample = this.#sample;
    const packed = deflateRawSync(json, {
      ...(sample === undefined ? {} : { dictionary: sample }),
      ...(json.length > LARGE ? { level: constants.Z_BEST_SPEED } : {}),
    });
    if (packed.length * GOOD_RATIO > json.length) this.#learn(json);
    return { text: packed.toString('latin1'), size: json.length, sample };
  }

  #learn(json: Buffer): void {
    if (this.#samples === MOST_SAMPLES) return;
    this.#samples += 1;
    // A copy: a part of the buffer would hold all of it.
    this.#sample = new Uint8Array(json.subarray(0, LONGEST_SAMPLE));
  }
}

/** A tree of its own each time, equal to the one that was packed. */
export function unpack({ text, size, sample }: Packed): K8sObject {
  const json = inflateRawSync(Buffer.from(text, 'latin1'), {
    // One more than needed, so that the end is noticed without a second buffer.
    chunkSize: size + SPARE,
    ...(sample === undefined ? {} : { dictionary: sample }),
  });
  return JSON.parse(json.toString()) as K8sObject; // printed from one by `pack`
}

/** What Node.js asks for at least. */
const SPARE = 64;
