import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  createPlaneDirectory,
  recordProcesses,
  removePlaneDirectory,
  sweepOrphans,
} from './plane-directory.ts';
import { identifyProcess } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { PROCESSES_TIMEOUT_MS, endOf, useTemporaryFolder } from './test-support.ts';

const DEAD_OWNER: ProcessIdentity = { pid: 2 ** 30, started: 'long ago' };

/** Makes a folder look as if another process had made it. */
function disown(directory: string, owner: ProcessIdentity): void {
  const path = join(directory, 'control-plane.json');
  const marker: unknown = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(Object.assign({}, marker, { owner })));
}

describe('sweepOrphans', function () {
  this.timeout(PROCESSES_TIMEOUT_MS);
  const root = useTemporaryFolder();
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const server of started.splice(0)) server.kill('SIGKILL');
  });

  /** A process group of its own, as every server has. */
  function startServer(): { readonly child: ChildProcess; readonly identity: ProcessIdentity } {
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    started.push(child);
    const identity = identifyProcess(child.pid ?? -1);
    if (identity === undefined) throw new Error('sleep did not start');
    return { child, identity };
  }

  it('kills the processes of an owner that is gone and removes its folder', async () => {
    const { child, identity } = startServer();
    const directory = createPlaneDirectory(root());
    recordProcesses(directory, [identity]);
    disown(directory, DEAD_OWNER);

    const swept = sweepOrphans(root());

    expect(swept).to.deep.equal([directory]);
    expect(await endOf(child)).to.equal('SIGKILL');
    expect(existsSync(directory)).to.equal(false);
  });

  it('leaves the folder of an owner that runs alone', () => {
    const { child, identity } = startServer();
    const directory = createPlaneDirectory(root());
    recordProcesses(directory, [identity]);

    const swept = sweepOrphans(root());

    expect(swept).to.deep.equal([]);
    expect(existsSync(directory)).to.equal(true);
    expect(identifyProcess(child.pid ?? -1)).to.deep.equal(identity);
  });

  it('spares a process that has got the number of a server that is gone', () => {
    const { child, identity } = startServer();
    const directory = createPlaneDirectory(root());
    recordProcesses(directory, [{ ...identity, started: 'earlier' }]);
    disown(directory, DEAD_OWNER);

    const swept = sweepOrphans(root());

    expect(swept).to.deep.equal([directory]);
    expect(identifyProcess(child.pid ?? -1)).to.deep.equal(identity);
  });

  it('does not touch folders without our name or without our marker', () => {
    const foreign = join(root(), 'control-plane-of-somebody-else');
    const unmarked = join(root(), 'istio-operator-control-plane-unmarked');
    for (const directory of [foreign, unmarked]) mkdirSync(directory);
    writeFileSync(join(foreign, 'control-plane.json'), JSON.stringify({ owner: DEAD_OWNER, processes: [] }));
    writeFileSync(join(unmarked, 'control-plane.json'), JSON.stringify({ owner: DEAD_OWNER, processes: [] }));

    const swept = sweepOrphans(root());

    expect(swept).to.deep.equal([]);
    expect([foreign, unmarked].map((directory) => existsSync(directory))).to.deep.equal([true, true]);
  });

  it('finds nothing after an orderly end', () => {
    removePlaneDirectory(createPlaneDirectory(root()));

    expect(sweepOrphans(root())).to.deep.equal([]);
  });
});
