/** Collects what the generators make, and compares it with the tree. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, getFileInfo, resolveConfig } from 'prettier';

/** A module that makes files from other files of the tree. */
export interface Generator {
  /** What it makes, for messages. */
  readonly name: string;
  /** The full content of each file by its path in the tree. */
  generate(): Promise<ReadonlyMap<string, string>>;
}

export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
  readonly madeBy: string;
}

/** Runs all generators and formats what they make. Throws when two of them make the same file. */
export async function collectFiles(
  root: string,
  generators: readonly Generator[],
): Promise<readonly GeneratedFile[]> {
  const files = new Map<string, GeneratedFile>();
  for (const generator of generators) {
    for (const [path, text] of await generator.generate()) {
      const other = files.get(path);
      if (other !== undefined)
        throw new Error(`${path} is made by both "${other.madeBy}" and "${generator.name}"`);
      files.set(path, { path, content: await formatted(root, path, text), madeBy: generator.name });
    }
  }
  return [...files.values()];
}

/** The files whose content in the tree is another one, or that are not there. */
export async function staleFiles(
  root: string,
  files: readonly GeneratedFile[],
): Promise<readonly GeneratedFile[]> {
  const fresh = await Promise.all(
    files.map(async ({ path, content }) => (await contentOf(root, path)) === content),
  );
  return files.filter((_file, index) => fresh[index] !== true);
}

export async function writeFiles(root: string, files: readonly GeneratedFile[]): Promise<void> {
  for (const { path, content } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function contentOf(root: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function formatted(root: string, path: string, text: string): Promise<string> {
  const filepath = join(root, path);
  const { ignored, inferredParser } = await getFileInfo(filepath, {
    ignorePath: join(root, '.prettierignore'),
  });
  if (ignored || inferredParser === null) return text;
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}
