/**
 * The shared libraries that Node.js needs, from Debian's own packages. apt keeps its lists and packages in a folder
 * of ours, so neither root nor the machine's architecture matters, and the machine's own lists stay as they are.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import type { Architecture } from './architectures.ts';
import { fileWith } from './archive.ts';
import type { FileEntry, FileTree } from './archive.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** Its entries by path, without the leading `./`. */
  readonly files: FileTree;
}

const run = promisify(execFile);

/** The C and C++ libraries. Their licences allow shipping; the copyright files go into the image with them. */
const LIBRARY_PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6'] as const;

/**
 * Downloads the packages once, into `cache`, and reads them. Rejects with what to do when the machine has no apt.
 */
export async function debianPackages(
  architecture: Architecture,
  cache: string,
): Promise<readonly DebianPackage[]> {
  const folder = join(cache, architecture.name);
  const present = await readdir(folder).catch(() => []);
  if (present.length === 0) await download(architecture, folder);
  const archives = (await readdir(folder)).toSorted();
  return Promise.all(archives.map((archive) => readPackage(join(folder, archive))));
}

async function download({ name }: Architecture, folder: string): Promise<void> {
  const state = `${folder}.apt`;
  const unfinished = `${folder}.part`;
  await rm(unfinished, { recursive: true, force: true });
  for (const path of [unfinished, join(state, 'lists/partial'), join(state, 'cache/archives/partial')]) {
    await mkdir(path, { recursive: true });
  }
  const settings = [
    `APT::Architecture=${name}`,
    `APT::Architectures=${name}`,
    `Dir::State=${state}`,
    `Dir::State::status=/dev/null`,
    `Dir::Cache=${join(state, 'cache')}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ].flatMap((setting) => ['-o', setting]);
  await apt([...settings, 'update'], unfinished);
  await apt([...settings, 'download', ...LIBRARY_PACKAGES], unfinished);
  await rm(state, { recursive: true });
  await rename(unfinished, folder);
}

async function apt(args: readonly string[], cwd: string): Promise<void> {
  try {
    await run('apt-get', ['-qq', ...args], { cwd });
  } catch (cause) {
    throw new Error(
      'The libraries of the image come from Debian packages, and apt-get failed. On a machine without apt, build with deploy/Dockerfile.',
      { cause },
    );
  }
}

async function readPackage(archive: string): Promise<DebianPackage> {
  const { stdout } = await run('dpkg-deb', ['--show', '--showformat=${Package} ${Version}', archive]);
  const [name = '', version = ''] = stdout.split(' ');
  return { name, version, files: await readEntries(archive) };
}

async function readEntries(archive: string): Promise<FileTree> {
  const child = spawn('dpkg-deb', ['--fsys-tarfile', archive], { stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints = text(child.stderr);
  const entries = new Map<string, FileEntry>();
  for await (const entry of child.stdout.pipe(extract())) {
    const path = entry.header.name.replace(/^\.\//, '');
    const content = await buffer(entry);
    if (entry.header.type === 'symlink')
      entries.set(path, { kind: 'link', target: entry.header.linkname ?? '' });
    if (entry.header.type === 'file') entries.set(path, fileWith(content));
  }
  if (entries.size === 0) throw new Error(`${archive} cannot be read: ${await complaints}`);
  return entries;
}
