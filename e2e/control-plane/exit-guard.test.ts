import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROCESSES_TIMEOUT_MS, endOf, firstOutput, startModule, useTemporaryFolder } from './test-support.ts';

/** Removes a file when it ends, and says so once it is ready; how it ends is the rest of the text. */
function moduleThatCleansUp(rest: string): string {
  return `
    import { existsSync, rmSync } from 'node:fs';
    import { onProcessEnd } from './exit-guard.ts';
    const withdraw = onProcessEnd(() => rmSync(process.argv[1]));
    process.stdout.write('ready');
    ${rest}`;
}

const STAY = 'setInterval(() => {}, 1000);';

describe('onProcessEnd', function () {
  this.timeout(PROCESSES_TIMEOUT_MS);
  const folder = useTemporaryFolder();

  function litter(): string {
    const path = join(folder(), 'litter');
    writeFileSync(path, '');
    return path;
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`cleans up on ${signal} and still dies of it`, async () => {
      const path = litter();
      const child = startModule(moduleThatCleansUp(STAY), { args: [path] });
      await firstOutput(child);

      child.kill(signal);

      expect(await endOf(child)).to.equal(signal);
      expect(existsSync(path)).to.equal(false);
    });
  }

  it('cleans up when the process has nothing more to do', async () => {
    const path = litter();

    const end = await endOf(startModule(moduleThatCleansUp(''), { args: [path] }));

    expect(end).to.equal(0);
    expect(existsSync(path)).to.equal(false);
  });

  it('cleans up when nobody catches an error', async () => {
    const path = litter();

    const faulty = moduleThatCleansUp("setImmediate(() => { throw new Error('planted'); });");

    const end = await endOf(startModule(faulty, { args: [path], stderr: 'ignore' }));

    expect(end).to.equal(1);
    expect(existsSync(path)).to.equal(false);
  });

  it('leaves it to others who listen for a signal whether the process ends', async () => {
    const path = litter();
    const orderly = `process.once('SIGTERM', () => process.exit(existsSync(process.argv[1]) ? 7 : 8)); ${STAY}`;
    const child = startModule(moduleThatCleansUp(orderly), { args: [path] });
    await firstOutput(child);

    child.kill('SIGTERM');

    expect(await endOf(child)).to.equal(7);
    expect(existsSync(path)).to.equal(false);
  });

  it('does nothing once it is withdrawn', async () => {
    const path = litter();

    const end = await endOf(startModule(moduleThatCleansUp('withdraw();'), { args: [path] }));

    expect(end).to.equal(0);
    expect(existsSync(path)).to.equal(true);
  });
});
