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

describe('the bundle', () => {
  let folder: string;
  let report: Readonly<Record<string, unknown>>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-')); // far from any node_modules
    const entry = join(folder, 'report.ts');
    await writeFile(entry, REPORT);
    await bundle({ entries: { main: entry }, outdir: join(folder, 'dist') });
    const main = join(folder, 'dist/main.mjs');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disallow-code-generation-from-strings', main],
      { cwd: folder, maxBuffer: 1 << 26 },
    );
    report = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
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
});
