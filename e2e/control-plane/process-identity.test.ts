import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { identifyProcess, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

function identityOf(pid: number | undefined): ProcessIdentity {
  const identity = identifyProcess(pid ?? -1);
  if (identity === undefined) throw new Error(`no process ${pid}`);
  return identity;
}

describe('process identity', () => {
  it('knows a process until it has ended', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identityOf(child.pid);

    const whileRunning = isRunning(identity);
    child.kill('SIGKILL');
    await once(child, 'exit');

    expect(whileRunning).to.equal(true);
    expect(isRunning(identity)).to.equal(false);
  });

  it('does not take a process for an earlier one of the same number', () => {
    const self = identityOf(process.pid);

    expect(isRunning(self)).to.equal(true);
    expect(isRunning({ ...self, started: 'earlier' })).to.equal(false);
  });

  it('finds no process under a number that nobody has', () => {
    expect(identifyProcess(2 ** 30)).to.equal(undefined);
  });
});
