/** Profiles that whoever runs the operator puts beside it, such as from a ConfigMap that is mounted. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, extname, join, sep } from 'node:path';
import { AssetError } from './asset-files.ts';

export interface ProfileFile {
  /** Under the root as it was given, so that people recognise it. */
  readonly path: string;
  /** Of the profile: the name of the file without its ending. */
  readonly name: string;
  readonly text: string;
}

/** The files `profiles/*.yaml` of each folder that has some, by the path of the folder. */
export type ProfileFolders = ReadonlyMap<string, readonly ProfileFile[]>;

/**
 * Reads all profiles of a folder and of those below it, links included: that is how ConfigMaps are mounted. Throws an
 * AssetError when something cannot be read, or is a link that leads out of the root.
 */
export async function readProfileFolders(root: string): Promise<ProfileFolders> {
  const folders = new Map<string, readonly ProfileFile[]>();
  const walk = { inside: await realPathOf(root), visited: new Set<string>(), folders };
  await visit(trimmed(root), walk);
  return folders;
}

interface Walk {
  /** The real path of the root. */
  readonly inside: string;
  /** Real paths, against links that go round in circles. */
  readonly visited: Set<string>;
  readonly folders: Map<string, readonly ProfileFile[]>;
}

async function visit(folder: string, walk: Walk): Promise<void> {
  const real = await realPathInside(folder, walk);
  if (walk.visited.has(real)) return;
  walk.visited.add(real);
  for (const path of await entriesOf(folder)) {
    await realPathInside(path, walk);
    if (!(await stat(path)).isDirectory()) continue;
    const files = basename(path) === 'profiles' ? await filesOf(path, walk) : [];
    if (files.length > 0) walk.folders.set(folder, files);
    else await visit(path, walk);
  }
}

/** Without hidden ones: the kubelet keeps the versions of a ConfigMap in some, and links into them from beside. */
async function entriesOf(folder: string): Promise<readonly string[]> {
  const names = await attempt(folder, readdir(folder));
  return names
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .map((name) => join(folder, name));
}

async function filesOf(folder: string, walk: Walk): Promise<readonly ProfileFile[]> {
  const paths = (await entriesOf(folder)).filter((path) => /\.ya?ml$/u.test(path));
  return Promise.all(
    paths.map(async (path) => {
      const real = await realPathInside(path, walk);
      const text = await attempt(path, readFile(real, 'utf8'));
      return { path, name: basename(path, extname(path)), text };
    }),
  );
}

async function realPathInside(path: string, { inside }: Walk): Promise<string> {
  const real = await realPathOf(path);
  if (real === inside || real.startsWith(inside + sep)) return real;
  throw new AssetError(path, 'is a link that leads out of the folder of profiles');
}

async function realPathOf(path: string): Promise<string> {
  return attempt(path, realpath(path));
}

async function attempt<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new AssetError(path, `cannot be read: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
}

/** Without slashes at the end, so that resources may name a folder either way. */
function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/u, '');
}
