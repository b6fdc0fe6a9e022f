import { expect } from 'chai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectFiles, staleFiles, writeFiles } from './generated-files.ts';
import type { Generator } from './generated-files.ts';

function generator(name: string, files: Readonly<Record<string, string>>): Generator {
  return { name, generate: () => Promise.resolve(new Map(Object.entries(files))) };
}

describe('generated files', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'generated-'));
  });

  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it('are stale until they are written, and again when their source gives something else', async () => {
    const files = await collectFiles(root, [generator('lists', { 'docs/list.txt': 'a\n' })]);
    const changed = await collectFiles(root, [generator('lists', { 'docs/list.txt': 'b\n' })]);

    expect(await staleFiles(root, files)).to.deep.equal(files);
    await writeFiles(root, files);
    expect(await staleFiles(root, files)).to.deep.equal([]);
    expect(await staleFiles(root, changed)).to.deep.equal(changed);
  });

  it('are formatted where a formatter knows their kind', async () => {
    await writeFiles(
      root,
      await collectFiles(root, [generator('code', { 'a.ts': 'const a   =  1', 'a.txt': 'a   b' })]),
    );

    expect(await readFile(join(root, 'a.ts'), 'utf8')).to.equal('const a = 1;\n');
    expect(await readFile(join(root, 'a.txt'), 'utf8')).to.equal('a   b');
  });

  it('have one maker each', async () => {
    const twice = [generator('first', { 'a.txt': '1' }), generator('second', { 'a.txt': '2' })];

    const failure = await collectFiles(root, twice).catch(String);

    expect(failure).to.equal('Error: a.txt is made by both "first" and "second"');
  });
});
