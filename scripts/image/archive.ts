/** Tar archives in which the same files give the same bytes: sorted, owned by root, without a time of their own. */
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';

/** What stands at a path. Paths are relative to the root, with `/`. */
export type FileEntry =
  | { readonly kind: 'file'; readonly content: Buffer; readonly executable: boolean }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder'; readonly mode: number };

export type FileTree = ReadonlyMap<string, FileEntry>;

/** A plain file with a text or bytes. */
export function fileWith(content: Buffer | string): FileEntry {
  return { kind: 'file', content: Buffer.from(content), executable: false };
}

/** Packs the files, and the folders above them. Everything gets the same time. */
export async function archiveOf(files: FileTree, epoch: Date): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const [path, entry] of withParents(files)) addEntry(archive, { path, entry, epoch });
  archive.finalize();
  return bytes;
}

interface Placed {
  readonly path: string;
  readonly entry: FileEntry;
  readonly epoch: Date;
}

function addEntry(archive: Pack, { path, entry, epoch }: Placed): void {
  const common = { name: path, mtime: epoch, uid: 0, gid: 0, uname: '', gname: '' };
  switch (entry.kind) {
    case 'file':
      archive.entry({ ...common, type: 'file', mode: entry.executable ? 0o755 : 0o644 }, entry.content);
      break;
    case 'link':
      archive.entry({ ...common, type: 'symlink', mode: 0o777, linkname: entry.target });
      break;
    case 'folder':
      archive.entry({ ...common, name: `${path}/`, type: 'directory', mode: entry.mode });
      break;
  }
}

function withParents(files: FileTree): readonly (readonly [string, FileEntry])[] {
  const parents = [...files.keys()].flatMap(parentsOf);
  const folders = parents.map((path): [string, FileEntry] => [path, { kind: 'folder', mode: 0o755 }]);
  return [...new Map([...folders, ...files])].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
