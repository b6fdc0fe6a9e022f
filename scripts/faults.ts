/**
 * `npm run e2e:faults [-- SUITE...]`: the fault suites in full (tier 2), several at a time, each with a control plane of
 * its own. Prints when one starts and ends, every line of counts as it comes, and the whole report of a suite that
 * failed; the reports of all are kept in a folder that is named at the end.
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { availableParallelism, constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { scheduleOf } from './faults/suites.ts';
import type { FaultSuite } from './faults/suites.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOCHA = join(ROOT, 'node_modules/mocha/bin/mocha.js');
/** Most of them wait more than they work. */
const SUITES_PER_PROCESSOR = 2;
const COUNTS = /^faults [a-zA-Z]+: /;
/** A suite that hangs must not hold up those behind it. */
const LIMIT = { factor: 2, minutes: 10 } as const;
/** What a suite gets to put its control plane away. */
const GRACE_MS = 30_000;

const startMs = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'istio-operator-faults-'));
const failed: string[] = [];

function say(text: string): void {
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1).padStart(5);
  console.log(`${minutes} min  ${text}`);
}

/** Resolves when it has ended, however it did. */
async function runSuite({ name, minutes, isBusy }: FaultSuite): Promise<void> {
  say(`${name}: started`);
  const report = join(folder, `${name}.log`);
  const args = ['--config', '.mocharc.e2e.json', `e2e/faults/${name}.e2e.ts`];
  const child = spawn(process.execPath, [MOCHA, ...args], {
    cwd: ROOT,
    env: { ...process.env, FAULTS_TIER: '2' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (isBusy === true && child.pid !== undefined)
    setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  const end = (): void => void child.kill('SIGTERM');
  process.once('SIGINT', end).once('SIGTERM', end);
  const limitMs = (LIMIT.factor * minutes + LIMIT.minutes) * 60_000;
  const overdue = setTimeout(() => {
    say(`${name}: ended, because it has not come to an end in ${limitMs / 60_000} minutes`);
    end();
  }, limitMs);
  const stuck = setTimeout(() => void child.kill('SIGKILL'), limitMs + GRACE_MS);
  const log = createWriteStream(report);
  child.stderr.pipe(log, { end: false });
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.write(`${line}\n`);
    if (COUNTS.test(line)) say(line);
  });
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve));
  for (const timer of [overdue, stuck]) clearTimeout(timer);
  process.off('SIGINT', end).off('SIGTERM', end);
  await new Promise((resolve) => void log.end(resolve));
  say(`${name}: ${code === 0 ? 'passed' : 'FAILED'}`);
  if (code === 0) return;
  failed.push(name);
  console.log(await readFile(report, 'utf8'));
}

async function runTogether(suites: readonly FaultSuite[]): Promise<void> {
  const waiting = [...suites];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runSuite(next);
  };
  const lanes = Array.from({ length: availableParallelism() * SUITES_PER_PROCESSOR }, work);
  await Promise.all(lanes);
}

const { alone, together } = scheduleOf(process.argv.slice(2));
for (const suite of alone) await runSuite(suite);
await runTogether(together);
say(`reports in ${folder}; ${failed.length === 0 ? 'all passed' : `failed: ${failed.join(', ')}`}`);
process.exitCode = failed.length === 0 ? 0 : 1;
