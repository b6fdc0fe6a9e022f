/** The image's own program: Node.js and the bundle. */
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Architecture } from './architectures.ts';
import { fileWith } from './archive.ts';
import type { FileEntry, FileTree } from './archive.ts';

const run = promisify(execFile);

export interface NodeSource {
  /** Folder of installed packages; npm installs just the one for the machine's own architecture. */
  readonly packages: string;
  /** Where those for other architectures are kept. */
  readonly cache: string;
  /** The version that package.json names. */
  readonly version: string;
}

/** Node.js as its npm package has it. */
export async function nodeFiles({ nodePackage }: Architecture, source: NodeSource): Promise<FileTree> {
  const folder = await nodeFolder(nodePackage, source);
  const [node, licence] = await Promise.all([
    readFile(join(folder, 'bin/node')),
    readFile(join(folder, 'LICENSE')),
  ]);
  return new Map<string, FileEntry>([
    ['usr/local/bin/node', { kind: 'file', content: node, executable: true }],
    ['usr/share/doc/nodejs/copyright', fileWith(licence)],
  ]);
}

async function nodeFolder(nodePackage: string, { packages, cache, version }: NodeSource): Promise<string> {
  const downloaded = join(cache, `${nodePackage}-${version}`);
  if (await exists(join(packages, nodePackage))) return join(packages, nodePackage);
  if (!(await exists(downloaded))) await download(`${nodePackage}@${version}`, downloaded);
  return downloaded;
}

/** npm checks the download against the registry's checksum. */
async function download(specifier: string, folder: string): Promise<void> {
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await run('npm', ['pack', '--silent', specifier], { cwd: unfinished });
  const [archive = ''] = await readdir(unfinished);
  await run('tar', ['-xzf', archive], { cwd: unfinished });
  await rename(join(unfinished, 'package'), folder);
  await rm(unfinished, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The bundle without the maps for debuggers. */
export async function bundleFiles(dist: string): Promise<FileTree> {
  const found = await readdir(dist, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile() && !entry.name.endsWith('.map'));
  const entries = files.map(async ({ parentPath, name }): Promise<[string, FileEntry]> => {
    const path = join(parentPath, name);
    const content = await readFile(path);
    return [`app${path.slice(dist.length)}`, fileWith(content)];
  });
  return new Map(await Promise.all(entries));
}
