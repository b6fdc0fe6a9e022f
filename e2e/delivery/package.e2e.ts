import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { VERSION } from '../../src/version.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the npm package', () => {
  let folder: string;

  /** Only Node.js and what the package brought are on the path, and no other package is near. */
  async function installed(program: string, ...args: readonly string[]): Promise<string> {
    const bin = join(folder, 'node_modules/.bin');
    const env = { PATH: `${bin}:${dirname(process.execPath)}`, HOME: folder, NO_COLOR: '1' };
    const { stdout } = await run(program, args, { cwd: folder, env, maxBuffer: 1 << 26 });
    return stdout;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'istio-operator-package-'));
    const environment = { cwd: folder, env: { ...process.env, npm_config_cache: join(folder, 'cache') } };
    await run('npm', ['pack', '--silent', '--pack-destination', folder, ROOT], environment);
    const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
    await writeFile(join(folder, 'package.json'), '{"private":true}');
    // Offline and with an empty cache: a package that needed another one could not be installed.
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];
    await run('npm', ['install', '--offline', ...quiet, archive], environment);
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('installs without any other package and runs', async () => {
    const packages = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));

    expect(packages).to.deep.equal(['istio-operator']);
    expect(await installed('istio-operator', '--version')).to.include(VERSION);
  });

  it('renders a mesh', async () => {
    const objects = await installed('istio-operator', 'manifest', 'generate', '--set', 'profile=minimal');

    expect(objects).to.match(/^kind: Deployment$/m);
  });

  it('is a kubectl plugin by its second name', async () => {
    expect(await installed('kubectl-istio_operator', 'profile', 'list')).to.include('demo');
  });

  it('brings its licence, those of what it contains, and a bill of materials that names the same packages', async () => {
    const content = join(folder, 'node_modules/istio-operator');
    const notices = await readFile(join(content, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    const bill = JSON.parse(await readFile(join(content, 'dist/sbom.cdx.json'), 'utf8')) as {
      readonly components: readonly {
        readonly group?: string;
        readonly name: string;
        readonly version: string;
      }[];
    };

    expect(await readFile(join(content, 'LICENSE'), 'utf8')).to.include('Apache License');
    expect(bill.components.length).to.be.greaterThan(10);
    for (const { group, name, version } of bill.components) {
      expect(notices).to.include(`${group === undefined ? '' : `${group}/`}${name} ${version} (`);
    }
  });
});
