/** What package.json says of the product. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';

export interface ProductIdentity {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly description: string;
}

/** Reads it from the repository. Rejects when a field is missing. */
export async function productOf(root: string): Promise<ProductIdentity> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as JsonValue;
  const field = (name: string): string => {
    const text = stringAt(manifest, name);
    if (text === undefined) throw new Error(`package.json has no ${name}`);
    return text;
  };
  return {
    name: field('name'),
    version: field('version'),
    licence: field('license'),
    description: field('description'),
  };
}
