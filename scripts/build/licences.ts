/** Collects the licences of the packages that a bundle contains. */
import type { Metafile } from 'esbuild';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENCE_FILE = /^(licen[cs]e|notice|copying)/i;
const RULE = '='.repeat(80);

/** One text with name, version and licence of every package whose code is in the bundle, in the order of names. */
export async function licencesOf(metafile: Metafile, root: string): Promise<string> {
  const sections = await Promise.all(
    packageFolders(metafile).map((folder) => licenceSection(join(root, folder))),
  );
  return sections.join(`\n${RULE}\n\n`);
}

/** Folders of the packages that gave at least a byte to an output. */
export function packageFolders(metafile: Metafile): readonly string[] {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = used.map((path) => PACKAGE_FOLDER.exec(path)?.[0]).filter((folder) => folder !== undefined);
  return [...new Set(folders)].toSorted();
}

async function licenceSection(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as JsonValue;
  const [name, version, licence] = ['name', 'version', 'license'].map((field) => stringAt(manifest, field));
  if (name === undefined || licence === undefined) throw new Error(`${folder}/package.json names no licence`);
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return `${[`${name} ${version} (${licence})`, ...texts.map((text) => text.trim())].join('\n\n')}\n`;
}
