import { expect } from 'chai';
import type { Metafile } from 'esbuild';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { licencesOf } from './licences.ts';
import { packageFolders, packagesOf } from './packages.ts';

/** The part of a metafile that counts: bytes in the output by input. */
function metafile(inputs: Readonly<Record<string, number>>): Metafile {
  const entries = Object.entries(inputs).map(([path, bytesInOutput]) => [path, { bytesInOutput }]);
  return {
    inputs: {},
    outputs: {
      'main.mjs': {
        bytes: 0,
        imports: [],
        exports: [],
        inputs: Object.fromEntries(entries) as Record<string, { bytesInOutput: number }>,
      },
    },
  };
}

describe('packageFolders', () => {
  it('names each package once, the nested one apart from the outer one', () => {
    const inputs = {
      'src/main.ts': 10,
      'node_modules/yaml/dist/a.js': 1,
      'node_modules/yaml/dist/b.js': 1,
      'node_modules/@scope/outer/node_modules/inner/c.js': 1,
      'node_modules/@scope/outer/d.js': 1,
    };

    expect(packageFolders(metafile(inputs))).to.deep.equal([
      'node_modules/@scope/outer',
      'node_modules/@scope/outer/node_modules/inner',
      'node_modules/yaml',
    ]);
  });

  it('leaves out packages of which nothing is left', () => {
    expect(packageFolders(metafile({ 'node_modules/yaml/dist/a.js': 0 }))).to.deep.equal([]);
  });
});

describe('licencesOf', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'licences-'));
    await mkdir(join(root, 'node_modules/a'), { recursive: true });
  });

  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it('gives name, version, licence and the texts of a package', async () => {
    await writeFile(
      join(root, 'node_modules/a/package.json'),
      '{"name":"a","version":"1.2.3","license":"MIT"}',
    );
    await writeFile(join(root, 'node_modules/a/LICENSE.md'), 'Do as you like.\n');
    await writeFile(join(root, 'node_modules/a/README.md'), 'Not a licence.');

    const text = await licencesOf(await packagesOf(metafile({ 'node_modules/a/index.js': 1 }), root));

    expect(text).to.equal('a 1.2.3 (MIT)\n\nDo as you like.\n');
  });

  it('refuses a package without licence', async () => {
    await writeFile(join(root, 'node_modules/a/package.json'), '{"name":"a","version":"1.2.3"}');

    const failure = await packagesOf(metafile({ 'node_modules/a/index.js': 1 }), root).catch(String);

    expect(failure).to.include('node_modules/a/package.json names no licence');
  });
});
