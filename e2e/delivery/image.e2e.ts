import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ARCHITECTURES } from '../../scripts/image/architectures.ts';
import { makeImage } from '../../scripts/image/make-image.ts';
import type { ImageReport } from '../../scripts/image/make-image.ts';
import { NODE_FLAGS } from '../../scripts/image/node-flags.ts';
import { VERSION } from '../../src/version.ts';
import { cachePath } from '../control-plane/cache-folder.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = cachePath(process.env, 'image');
const NATIVE = ARCHITECTURES.filter(({ nodePackage }) => nodePackage === `node-linux-${process.arch}`);

interface Descriptor {
  readonly digest: string;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface Configuration {
  readonly config: {
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
    readonly User: string;
  };
}

describe('the image', function () {
  this.timeout(240_000);
  let folder: string;
  let image: ImageReport;

  async function make(output: string): Promise<ImageReport> {
    return makeImage({ root: ROOT, architectures: NATIVE, output, cache: CACHE, epoch: new Date(0) });
  }

  async function blob<T>({ digest }: Descriptor): Promise<T> {
    return JSON.parse(await readFile(blobPath(digest), 'utf8')) as T;
  }

  function blobPath(digest: string): string {
    return join(image.layout, 'blobs', digest.replace(':', '/'));
  }

  async function manifest(): Promise<Manifest> {
    const index = JSON.parse(await readFile(join(image.layout, 'index.json'), 'utf8')) as {
      readonly manifests: readonly [Descriptor];
    };
    const platforms = await blob<{ readonly manifests: readonly [Descriptor] }>(index.manifests[0]);
    return blob<Manifest>(platforms.manifests[0]);
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'istio-operator-image-'));
    image = await make(join(folder, 'first'));
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('has the same digest when it is made again', async () => {
    const again = await make(join(folder, 'second'));

    expect(again.digest).to.equal(image.digest);
    expect((await readFile(again.archive)).equals(await readFile(image.archive))).to.equal(true);
  });

  it('starts the operator as a user without rights', async () => {
    const { config } = await blob<Configuration>((await manifest()).config);

    expect(config).to.deep.include({
      User: '65532:65532',
      Entrypoint: ['/usr/local/bin/node', ...NODE_FLAGS, '/app/main.mjs'],
      Cmd: ['run'],
    });
  });

  it('runs from its own files alone, as that user, with a root that cannot be written', async function () {
    if (process.getuid?.() !== 0) this.skip(); // only root may change the root folder of a process
    const root = join(folder, 'root');
    await mkdir(root);
    for (const { digest } of (await manifest()).layers)
      await run('tar', ['-xzf', blobPath(digest), '-C', root]);
    const inside = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec chroot --userspec=65532:65532 "$@"`;
    const started = ['/usr/local/bin/node', ...NODE_FLAGS, '/app/main.mjs'];

    const { stdout } = await run('unshare', ['-m', 'sh', '-c', inside, 'sh', root, ...started, '--version'], {
      env: { PATH: process.env['PATH'], NODE_OPTIONS: '--disallow-code-generation-from-strings' },
    });

    expect(stdout).to.include(VERSION);
  });

  it('has a bill of materials with Node.js, the libraries and the bundled packages', async () => {
    const bill = await readFile(image.bill, 'utf8');

    for (const purl of [
      `pkg:npm/node-linux-${process.arch}@`,
      'pkg:deb/debian/libc6@',
      'pkg:npm/handlebars@',
    ]) {
      expect(bill).to.include(purl);
    }
  });
});
