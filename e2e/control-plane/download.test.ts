import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { downloadSource } from './download.ts';
import type { DownloadSettings } from './download.ts';
import type { Program } from './programs.ts';
import { impatientClock, recordedProgress, useTemporaryFolder } from './test-support.ts';

const KUBE = '/release/v1.34.4/bin/linux/amd64';
const ETCD = '/etcd-io/etcd/releases/download/v3.6.6';
const ETCD_FOLDER = 'etcd-v3.6.6-linux-amd64';
const KWOK = '/kubernetes-sigs/kwok/releases/download/v0.7.0/kwok-linux-amd64';
const KWOK_RELEASE = '/repos/kubernetes-sigs/kwok/releases/tags/v0.7.0';

/** Published in place of a content, it makes the site hang up in the middle. */
const BROKEN = 'the connection breaks';

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('downloadSource', () => {
  const folder = useTemporaryFolder();
  const scratch = useTemporaryFolder();
  const published = new Map<string, string | Buffer>();
  let requests: string[] = [];
  let site: Server;

  beforeEach(async () => {
    published.clear();
    requests = [];
    site = createServer((request, response) => {
      const path = request.url ?? '';
      requests.push(path);
      const content = published.get(path);
      if (content === BROKEN) {
        response.writeHead(200, { 'content-length': '9' }).write('half', () => request.socket.destroy());
        return;
      }
      response.writeHead(content === undefined ? 404 : 200).end(content);
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
  });
  afterEach(() => void site.close());

  function settings(parts: Partial<DownloadSettings> = {}): DownloadSettings {
    const address = site.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const url = `http://127.0.0.1:${port}`;
    return {
      clock: impatientClock(),
      progress: recordedProgress(),
      sites: { kubernetes: url, github: url, githubApi: url },
      platform: { os: 'linux', arch: 'amd64' },
      ...parts,
    };
  }

  const install = (...programs: readonly Program[]) => downloadSource(settings()).install(programs, folder());

  it('installs a program whose sum is right', async () => {
    published
      .set(`${KUBE}/kube-scheduler`, 'scheduler')
      .set(`${KUBE}/kube-scheduler.sha256`, sha256('scheduler'));

    const shortfalls = await install('kube-scheduler');

    const path = join(folder(), 'kube-scheduler');
    expect(shortfalls).to.deep.equal([]);
    expect(readFileSync(path, 'utf8')).to.equal('scheduler');
    expect(statSync(path).mode & 0o777).to.equal(0o755);
  });

  it('takes a program out of its archive', async () => {
    mkdirSync(join(scratch(), ETCD_FOLDER));
    writeFileSync(join(scratch(), ETCD_FOLDER, 'etcd'), 'store');
    const archive = execFileSync('tar', ['-cz', '-C', scratch(), ETCD_FOLDER]);
    const sums = `${sha256('other')}  etcd-v3.6.6-linux-arm64.tar.gz\n${sha256(archive)}  ${ETCD_FOLDER}.tar.gz\n`;
    published.set(`${ETCD}/${ETCD_FOLDER}.tar.gz`, archive).set(`${ETCD}/SHA256SUMS`, sums);

    const shortfalls = await install('etcd');

    expect(shortfalls).to.deep.equal([]);
    expect(readFileSync(join(folder(), 'etcd'), 'utf8')).to.equal('store');
    expect(readdirSync(folder())).to.deep.equal(['etcd']);
  });

  it('finds the sum in the description of a release', async () => {
    const assets = [{ name: 'kwok-linux-amd64', digest: `sha256:${sha256('kwok')}` }];
    published.set(KWOK, 'kwok').set(KWOK_RELEASE, JSON.stringify({ assets }));

    expect(await install('kwok')).to.deep.equal([]);
    expect(readdirSync(folder())).to.deep.equal(['kwok']);
  });

  it('refuses a program whose sum is wrong, and goes on with the next', async () => {
    published
      .set(`${KUBE}/kube-apiserver`, 'tampered')
      .set(`${KUBE}/kube-apiserver.sha256`, sha256('genuine'));
    published
      .set(`${KUBE}/kube-scheduler`, 'scheduler')
      .set(`${KUBE}/kube-scheduler.sha256`, sha256('scheduler'));

    const shortfalls = await install('kube-apiserver', 'kube-scheduler');

    expect(shortfalls.map(({ program }) => program)).to.deep.equal(['kube-apiserver']);
    expect(shortfalls[0]?.reason).to.include(
      `has SHA-256 ${sha256('tampered')}, but ${sha256('genuine')} is published`,
    );
    expect(readdirSync(folder())).to.deep.equal(['kube-scheduler']);
  });

  const NO_SUMS: readonly { readonly when: string; readonly program: Program; readonly sums: string }[] = [
    { when: 'the list has it for other files only', program: 'etcd', sums: `${sha256('')}  other.tar.gz\n` },
    { when: 'it is no sum', program: 'kube-scheduler', sums: '<html>' },
    {
      when: 'the release tells none',
      program: 'kwok',
      sums: '{"assets":[{"name":"kwok-linux-amd64","digest":null}]}',
    },
    { when: 'the release is no JSON', program: 'kwok', sums: '<html>' },
  ];
  for (const { when, program, sums } of NO_SUMS) {
    it(`fetches no program without a sum: ${when}`, async () => {
      for (const path of [`${ETCD}/SHA256SUMS`, `${KUBE}/kube-scheduler.sha256`, KWOK_RELEASE]) {
        published.set(path, sums);
      }

      const shortfalls = await install(program);

      expect(shortfalls[0]?.reason).to.include('holds no sum for it');
      expect(requests).to.have.length(1);
      expect(readdirSync(folder())).to.deep.equal([]);
    });
  }

  it('tells what a site answers when it has no such file', async () => {
    const [shortfall] = await install('kube-scheduler');

    expect(shortfall?.reason).to.match(/kube-scheduler\.sha256 answers 404 Not Found$/);
  });

  it('gives up on everything as soon as a site can not be reached', async () => {
    const { sites } = settings();
    site.close();
    await once(site, 'close');
    const progress = recordedProgress();
    const source = downloadSource(settings({ sites, progress }));

    const shortfalls = await source.install(['kube-apiserver', 'kube-scheduler', 'kwok'], folder());

    expect(shortfalls.map(({ program }) => program)).to.deep.equal([
      'kube-apiserver',
      'kube-scheduler',
      'kwok',
    ]);
    for (const { reason } of shortfalls) expect(reason).to.match(/^no connection to 127.*ECONNREFUSED/);
    expect(progress.lines[0]).to.match(/^downloading kube-apiserver /);
    expect(progress.lines.filter((line) => !line.includes('kube-apiserver'))).to.deep.equal([]);
  });

  it('leaves nothing behind when the connection breaks half-way', async () => {
    published.set(`${KUBE}/kube-scheduler.sha256`, sha256('scheduler')).set(`${KUBE}/kube-scheduler`, BROKEN);

    const [shortfall] = await install('kube-scheduler');

    expect(shortfall?.reason).to.match(/^no connection to 127\.0\.0\.1:/);
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it('does not even try for a system that no complete set is published for', async () => {
    const source = downloadSource(settings({ platform: { os: 'darwin', arch: 'arm64' } }));

    const shortfalls = await source.install(['etcd'], folder());

    expect(shortfalls).to.deep.equal([
      { program: 'etcd', reason: 'the release sites have no complete set for darwin' },
    ]);
    expect(requests).to.deep.equal([]);
  });
});
