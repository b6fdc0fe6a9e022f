import { expect } from 'chai';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { Header } from 'tar-stream';
import { archiveOf, fileWith } from './archive.ts';
import type { FileTree } from './archive.ts';

const EPOCH = new Date(86_400_000);

interface Unpacked {
  readonly header: Header;
  readonly content: string;
}

async function unpacked(files: FileTree): Promise<readonly Unpacked[]> {
  const found: Unpacked[] = [];
  for await (const entry of Readable.from([await archiveOf(files, EPOCH)]).pipe(extract())) {
    found.push({ header: entry.header, content: await text(entry) });
  }
  return found;
}

describe('archiveOf', () => {
  it('puts the folders above a file before it, readable for all', async () => {
    const entries = await unpacked(new Map([['a/b/c', fileWith('text')]]));

    expect(entries.map(({ header }) => [header.name, header.type, header.mode])).to.deep.equal([
      ['a/', 'directory', 0o755],
      ['a/b/', 'directory', 0o755],
      ['a/b/c', 'file', 0o644],
    ]);
    expect(entries[2]?.content).to.equal('text');
  });

  it('keeps the mode of a folder that is listed itself', async () => {
    const files: FileTree = new Map([
      ['tmp/x', fileWith('')],
      ['tmp', { kind: 'folder', mode: 0o1777 }],
    ]);

    expect((await unpacked(files))[0]?.header.mode).to.equal(0o1777);
  });

  it('gives everything to root, with the one time it is told', async () => {
    const entries = await unpacked(
      new Map([
        ['file', fileWith('')],
        ['link', { kind: 'link', target: 'file' }],
      ]),
    );

    for (const { header } of entries) expect(header).to.deep.include({ uid: 0, gid: 0, mtime: EPOCH });
    expect(entries[1]?.header.linkname).to.equal('file');
  });

  it('gives the same bytes for the same files in another order', async () => {
    const files = [
      ['b', fileWith('2')],
      ['a', fileWith('1')],
    ] as const;

    const [one, other] = await Promise.all([
      archiveOf(new Map(files), EPOCH),
      archiveOf(new Map(files.toReversed()), EPOCH),
    ]);

    expect(one.equals(other)).to.equal(true);
  });
});
