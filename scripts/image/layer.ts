/** Layers of an OCI image. */
import { gzipSync } from 'node:zlib';
import { archiveOf } from './archive.ts';
import type { FileTree } from './archive.ts';
import { digestOf } from './digest.ts';
import type { Digest } from './digest.ts';

export interface Layer {
  /** What the layer is for, as the image's history tells it. */
  readonly purpose: string;
  readonly blob: Buffer;
  /** Digest of the layer before compression. */
  readonly diffId: Digest;
}

/** Packs the files into one layer. The same files give the same bytes. */
export async function layerOf(purpose: string, files: FileTree, epoch: Date): Promise<Layer> {
  const archive = await archiveOf(files, epoch);
  const blob = gzipSync(archive);
  return { purpose, blob, diffId: digestOf(archive) };
}
