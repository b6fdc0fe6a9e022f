/** Collects the licences of the packages that a bundle contains. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

const LICENCE_FILE = /^(licen[cs]e|notice|copying)/i;
const RULE = '='.repeat(80);

/** One text with name, version and licence of every package, in the given order. */
export async function licencesOf(packages: readonly BundledPackage[]): Promise<string> {
  const sections = await Promise.all(packages.map(licenceSection));
  return sections.join(`\n${RULE}\n\n`);
}

async function licenceSection({ name, version, licence, folder }: BundledPackage): Promise<string> {
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return `${[`${name} ${version} (${licence})`, ...texts.map((text) => text.trim())].join('\n\n')}\n`;
}
