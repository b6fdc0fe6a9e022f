/** The packages whose code a bundle contains. */
import type { Metafile } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  /** Absolute path of the package. */
  readonly folder: string;
}

/** Reads what the packages of a bundle say of themselves. Rejects when one names no version or no licence. */
export async function packagesOf(metafile: Metafile, root: string): Promise<readonly BundledPackage[]> {
  return Promise.all(packageFolders(metafile).map((folder) => readPackage(join(root, folder))));
}

/** Folders of the packages that gave at least a byte to an output. */
export function packageFolders(metafile: Metafile): readonly string[] {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = used.map((path) => PACKAGE_FOLDER.exec(path)?.[0]).filter((folder) => folder !== undefined);
  return [...new Set(folders)].toSorted();
}

async function readPackage(folder: string): Promise<BundledPackage> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as JsonValue;
  const [name, version, licence] = ['name', 'version', 'license'].map((field) => stringAt(manifest, field));
  if (name === undefined || version === undefined) throw new Error(`${folder}/package.json names no version`);
  if (licence === undefined) throw new Error(`${folder}/package.json names no licence`);
  return { name, version, licence, folder };
}
