import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadAssets } from '../../src/assets/load.ts';
import { bundle } from './bundle.ts';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** What both sides report of their assets. It does not depend on the way a template is kept. */
const REPORT = `
  import { loadAssets } from ${JSON.stringify(join(SRC, 'assets/load.ts'))};
  const assets = await loadAssets();
  console.log(JSON.stringify({
    templates: [...assets.templates.keys()],
    kinds: [...new Set([...assets.templates.values()].map((source) => source.kind))],
    trees: [assets.defaults, assets.profiles, assets.presets, assets.files].map((tree) => [...tree]),
    schemas: [assets.specSchema, assets.valuesSchema],
    crds: [...assets.crds.keys()].map((line) => [line, assets.crds.get(line)]),
    invalid: [assets.validateSpec({ porfile: 1 }), assets.validateValues({ pilot: 'on' })],
    valid: [assets.validateSpec({ profile: 'demo' }), assets.validateValues({ pilot: { autoscaleEnabled: false } })],
  }));
`;

/** Serves HTTP, and reports whether the client was loaded that Node.js has of its own. */
const SERVER = `
  import { createServer } from 'node:http';
  const server = createServer().listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify(process.moduleLoadList.filter((name) => name.endsWith('/undici'))));
    server.close();
  });
`;

describe('the bundle', () => {
  let folder: string;
  let report: Readonly<Record<string, unknown>>;
  const outputOf = async (entry: string): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disallow-code-generation-from-strings', join(folder, `dist/${entry}.mjs`)],
      { cwd: folder, maxBuffer: 1 << 26 },
    );
    return stdout;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-')); // far from any node_modules
    const entries = { main: join(folder, 'report.ts'), server: join(folder, 'server.ts') };
    await writeFile(entries.main, REPORT);
    await writeFile(entries.server, SERVER);
    await bundle({ entries, outdir: join(folder, 'dist') });
    report = JSON.parse(await outputOf('main')) as Readonly<Record<string, unknown>>;
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('holds the same assets as the source tree, with every template compiled', async () => {
    const assets = await loadAssets();

    expect(report['kinds']).to.deep.equal(['precompiled']);
    expect(report['templates']).to.deep.equal([...assets.templates.keys()]);
    expect(report['schemas']).to.deep.equal([assets.specSchema, assets.valuesSchema]);
    expect(report['crds']).to.deep.equal(
      [...assets.crds.keys()].map((line) => [line, assets.crds.get(line)]),
    );
    expect(report['trees']).to.deep.equal(
      [assets.defaults, assets.profiles, assets.presets, assets.files].map((tree) => [...tree]),
    );
  });

  it('validates as the source tree does, where code generation from strings is forbidden', async () => {
    const assets = await loadAssets();

    expect(report['valid']).to.deep.equal([[], []]);
    expect(report['invalid']).to.deep.equal([
      assets.validateSpec({ porfile: 1 }),
      assets.validateValues({ pilot: 'on' }),
    ]);
    expect(report['invalid']).not.to.deep.equal([[], []]);
  });

  it('loads the assets only when they are asked for', async () => {
    const chunks = await readdir(join(folder, 'dist/chunks'));
    const main = await readFile(join(folder, 'dist/main.mjs'), 'utf8');

    expect(chunks.filter((name) => /^source-.*\.mjs$/.test(name))).to.have.lengthOf(1);
    expect(main).not.to.include('CustomResourceDefinition');
  });

  it('keeps no text of the assets in its modules', async () => {
    const chunks = await readdir(join(folder, 'dist/chunks'));
    const [source = 'none'] = chunks.filter((name) => /^source-.*\.mjs$/.test(name));

    expect(await readFile(join(folder, 'dist/chunks', source), 'utf8')).not.to.include(
      'CustomResourceDefinition',
    );
  });

  it('serves HTTP without loading a client beside its own', async () => {
    expect(JSON.parse(await outputOf('server'))).to.deep.equal([]);
  });
});
