import { expect } from 'chai';
import { ARCHITECTURES } from './architectures.ts';
import type { Architecture } from './architectures.ts';
import { fileWith } from './archive.ts';
import type { DebianPackage } from './debian.ts';
import { rootFiles } from './root-files.ts';

const [AMD64] = ARCHITECTURES as readonly [Architecture, ...Architecture[]];

function libc(...paths: readonly string[]): DebianPackage {
  const files = new Map(paths.map((path) => [path, fileWith(path)]));
  return { name: 'libc6', version: '2.36-9', files };
}

const LOADER = 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2';

describe('rootFiles', () => {
  it('puts libraries into /usr/lib from wherever the distribution has them', () => {
    const merged = rootFiles([libc(`usr/${LOADER}`, 'usr/lib/x86_64-linux-gnu/libc.so.6')], AMD64);
    const split = rootFiles([libc(LOADER, 'lib/x86_64-linux-gnu/libc.so.6')], AMD64);

    expect([...split.keys()].toSorted()).to.deep.equal([...merged.keys()].toSorted());
    expect(split.get('usr/lib/x86_64-linux-gnu/libc.so.6')).to.deep.include({ executable: true });
    expect(split.get('lib')).to.deep.equal({ kind: 'link', target: 'usr/lib' });
  });

  it('leaves out what Node.js does not load, and keeps the licences', () => {
    const files = rootFiles(
      [
        libc(
          LOADER,
          'usr/lib/x86_64-linux-gnu/gconv/UTF-16.so',
          'lib/x86_64-linux-gnu/libthread_db.so.1',
          'usr/share/doc/libc6/copyright',
          'usr/share/doc/libc6/changelog.gz',
        ),
      ],
      AMD64,
    );

    const kept = [...files.keys()].filter((path) => path.startsWith('usr/') && path.includes('.so'));
    expect(kept).to.deep.equal([
      'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
      'usr/lib64/ld-linux-x86-64.so.2',
    ]);
    expect([...files.keys()].filter((path) => path.startsWith('usr/share'))).to.deep.equal([
      'usr/share/doc/libc6/copyright',
    ]);
  });

  it('refuses packages without a loader: the image could not start', () => {
    expect(() => rootFiles([libc('usr/lib/x86_64-linux-gnu/libc.so.6')], AMD64)).to.throw(
      'the packages hold no ld-linux-x86-64.so.2',
    );
  });
});
