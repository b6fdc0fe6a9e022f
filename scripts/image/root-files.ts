/** What the image holds below the program: the libraries, an account, and nothing to log in with. */
import type { Architecture } from './architectures.ts';
import type { DebianPackage } from './debian.ts';
import { fileWith } from './archive.ts';
import type { FileEntry, FileTree } from './archive.ts';

/** What Node.js loads (`ldd`), and what the C library loads to look up names. */
const LIBRARIES: readonly RegExp[] = [
  /^ld-linux-.*\.so\.\d+$/,
  /^lib(c|m|resolv)\.so\.6$/,
  /^libresolv\.so\.2$/,
  /^lib(dl|pthread|nss_dns|nss_files)\.so\.\d+$/,
  /^librt\.so\.1$/,
  /^libstdc\+\+\.so\.6(\.\d+)*$/,
  /^libgcc_s\.so\.1$/,
];

/** Folders outside /usr are links into it, as on every current distribution. */
const MERGED = { lib: 'usr/lib', lib64: 'usr/lib64' } as const;

const ACCOUNTS: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnonroot:x:65532:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** The lowest layer's files. Throws when a library that Node.js needs is not in the packages. */
export function rootFiles(packages: readonly DebianPackage[], { triplet, loader }: Architecture): FileTree {
  const entries = packages.flatMap(({ files }) => [...files]);
  const folder = `usr/lib/${triplet}`;
  const libraries = entries.flatMap(([path, entry]): readonly (readonly [string, FileEntry])[] => {
    const [directory, file] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
    const isLibrary = directory.endsWith(triplet) && LIBRARIES.some((pattern) => pattern.test(file));
    return isLibrary ? [[`${folder}/${file}`, executable(entry)]] : [];
  });
  const licences = entries.filter(([path]) => /^usr\/share\/doc\/[^/]+\/copyright$/.test(path));
  const files = new Map<string, FileEntry>([
    ...libraries,
    ...licences,
    [`usr/${loader.path}`, { kind: 'link', target: `/${folder}/${loader.file}` }],
    ...Object.entries(ACCOUNTS).map(([path, text]): [string, FileEntry] => [path, fileWith(text)]),
    ...Object.entries(MERGED).map(([path, target]): [string, FileEntry] => [path, { kind: 'link', target }]),
    ['usr/lib64', { kind: 'folder', mode: 0o755 }],
    ['tmp', { kind: 'folder', mode: 0o1777 }],
    ['home/nonroot', { kind: 'folder', mode: 0o755 }],
  ]);
  if (!files.has(`${folder}/${loader.file}`)) throw new Error(`the packages hold no ${loader.file}`);
  return files;
}

/** The loader is run as a program. */
function executable(entry: FileEntry): FileEntry {
  return entry.kind === 'file' ? { ...entry, executable: true } : entry;
}
