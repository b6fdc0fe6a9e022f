import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { COUNTS_VARIABLE, parseCounts, totalCounts } from './ci-counts.ts';
import type { Counts } from './ci-counts.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const SUITE = `
  it('passes', () => {});
  it('passes too', () => {});
  it('fails', () => { throw new Error('on purpose'); });
`;

describe('totalCounts', () => {
  it('adds up the tests of all suites of all steps', () => {
    const total = totalCounts([
      { name: 'check', succeeded: true, suites: [] },
      {
        name: 'test',
        succeeded: false,
        suites: [
          { passed: 5, failed: 0 },
          { passed: 2, failed: 3 },
        ],
      },
    ]);

    expect(total).to.deep.equal({ passed: 7, failed: 3 });
  });

  it('counts a step that failed without a failing test as one failure', () => {
    const total = totalCounts([
      { name: 'check', succeeded: false, suites: [] },
      { name: 'test', succeeded: false, suites: [{ passed: 5, failed: 0 }] },
    ]);

    expect(total).to.deep.equal({ passed: 5, failed: 2 });
  });
});

describe('the reporter for build servers', () => {
  it('leaves the counts of each run, and prints the readable report', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ci-reporter-'));
    try {
      await writeFile(join(folder, 'suite.test.cjs'), SUITE);

      const first = await runSuite(folder);
      await runSuite(folder);

      expect(first.report).to.include('2 passing').and.to.include('on purpose');
      expect(await readCounts(folder)).to.deep.equal([
        { passed: 2, failed: 1 },
        { passed: 2, failed: 1 },
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function runSuite(folder: string): Promise<{ readonly report: string }> {
  const mocha = join(ROOT, 'node_modules/.bin/mocha');
  const args = ['--no-config', '--reporter', './scripts/ci-reporter.ts', join(folder, 'suite.test.cjs')];
  const env = { ...process.env, MOCHA_OPTIONS: '', [COUNTS_VARIABLE]: join(folder, 'counts') };
  try {
    const { stdout } = await promisify(execFile)(mocha, args, { cwd: ROOT, env });
    return { report: stdout };
  } catch (error) {
    return { report: (error as { readonly stdout: string }).stdout }; // a failing test ends mocha with an error
  }
}

async function readCounts(folder: string): Promise<readonly Counts[]> {
  return parseCounts(await readFile(join(folder, 'counts'), 'utf8'));
}
