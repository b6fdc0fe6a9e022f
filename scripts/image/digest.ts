import { createHash } from 'node:crypto';

export type Digest = `sha256:${string}`;

/** The name of a blob in an OCI image. */
export function digestOf(content: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
