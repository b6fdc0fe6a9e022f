import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** A file of the distribution that is missing or unusable: a fault in the installation, not in what a user wrote. */
export class AssetError extends Error {
  override readonly name = 'AssetError';

  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path} ${problem}`, { cause });
  }
}

export interface AssetFile {
  /** Path under the root of the tree, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Reads every file below these folders of the tree, but for notes (`*.md`), in the order of their paths. */
export async function readAssetFiles(
  root: string,
  folders: readonly string[],
): Promise<readonly AssetFile[]> {
  return (await Promise.all(folders.map((folder) => readFolder(root, folder)))).flat();
}

async function readFolder(root: string, folder: string): Promise<readonly AssetFile[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
    (cause: unknown) => {
      throw new AssetError(folder, 'cannot be read', cause);
    },
  );
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
  return Promise.all(paths.toSorted().map((path) => readAsset(root, path)));
}

async function readAsset(root: string, path: string): Promise<AssetFile> {
  const text = await readFile(join(root, path), 'utf8').catch((cause: unknown) => {
    throw new AssetError(path, 'cannot be read', cause);
  });
  if (text.trim() === '') throw new AssetError(path, 'is empty');
  return { path, text };
}
