import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { withFileLock } from './file-lock.ts';
import { identifyProcess } from './process-identity.ts';
import {
  PROCESSES_TIMEOUT_MS,
  endOf,
  impatientClock,
  startModule,
  useTemporaryFolder,
} from './test-support.ts';

/** The content of a lock whose holder has been killed. */
const STALE_LOCK = JSON.stringify({ pid: 2 ** 30, started: 'long ago', nonce: 'stale' });

describe('withFileLock', () => {
  const folder = useTemporaryFolder();
  const lockPath = (): string => join(folder(), 'lock');
  const settings = (onWait: (pid: number) => void = () => {}) => ({
    path: lockPath(),
    clock: impatientClock(),
    onWait: ({ pid }: { pid: number }) => onWait(pid),
  });

  it('holds the lock while the work runs and leaves nothing behind', async () => {
    const result = await withFileLock(settings(), async () => existsSync(lockPath()));

    expect(result).to.equal(true);
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it('gives the lock back when the work fails', async () => {
    const failing = (): Promise<never> => Promise.reject(new Error('no disk'));

    const failure: unknown = await withFileLock(settings(), failing).catch((error: unknown) => error);

    expect(failure).to.have.property('message', 'no disk');
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it('waits for a live holder and tells who that is', async () => {
    const events: string[] = [];
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const first = withFileLock(settings(), async () => {
      await mayEnd;
      events.push('first ends');
    });

    const second = withFileLock(
      settings((pid) => {
        if (events.length === 0) events.push(`waits for ${pid}`);
        letEnd();
      }),
      async () => void events.push('second runs'),
    );
    await Promise.all([first, second]);

    expect(events).to.deep.equal([`waits for ${process.pid}`, 'first ends', 'second runs']);
  });

  it('takes over the lock of a holder that is gone', async () => {
    writeFileSync(lockPath(), STALE_LOCK);

    const holder = await withFileLock(settings(), async () => readFileSync(lockPath(), 'utf8'));

    expect(JSON.parse(holder)).to.include(identifyProcess(process.pid));
  });

  it('takes over a lock whose remover was killed while removing it', async () => {
    writeFileSync(lockPath(), STALE_LOCK);
    writeFileSync(`${lockPath()}.claim`, STALE_LOCK);

    const result = await withFileLock(settings(), async () => 'done');

    expect(result).to.equal('done');
    expect(readdirSync(folder())).to.deep.equal([]);
  });

  it('takes over a lock file that no lock of ours can be', async () => {
    writeFileSync(lockPath(), 'half a l');

    expect(await withFileLock(settings(), async () => 'done')).to.equal('done');
  });

  it('never lets two processes in at once, even when all find the same stale lock again and again', async () => {
    // Each holder leaves the lock as if it had died with it.
    const contender = `
      import { appendFileSync, writeFileSync } from 'node:fs';
      import { withFileLock } from './file-lock.ts';
      const [folder] = process.argv.slice(1);
      const note = (text) => appendFileSync(folder + '/events', text + process.pid + '\\n');
      const clock = { nowMs: () => 0, sleep: () => new Promise(setImmediate) };
      for (let round = 0; round < 25; round++) {
        await withFileLock({ path: folder + '/lock', clock, onWait: () => {} }, async () => {
          note('in ');
          await new Promise(setImmediate);
          note('out ');
          const nonce = process.pid + '-' + round;
          writeFileSync(folder + '/lock', JSON.stringify({ pid: 2 ** 30, started: 'long ago', nonce }));
        });
      }`;

    const ends = await Promise.all(
      Array.from({ length: 4 }, () => endOf(startModule(contender, { args: [folder()] }))),
    );

    const events = readFileSync(join(folder(), 'events'), 'utf8').trim().split('\n');
    expect(ends).to.deep.equal([0, 0, 0, 0]);
    expect(events).to.have.length(2 * 4 * 25);
    for (let i = 0; i < events.length; i += 2) {
      expect(events[i + 1]).to.equal(events[i]?.replace('in ', 'out '));
    }
  }).timeout(PROCESSES_TIMEOUT_MS);
});
