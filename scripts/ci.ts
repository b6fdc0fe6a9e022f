/**
 * Runs every check and every suite, as on a build server, and ends with the line `N passed, N failed`. Called by
 * .ci/run, which installs the packages first.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COUNTS_VARIABLE, parseCounts, totalCounts } from './ci-counts.ts';
import type { StepResult } from './ci-counts.ts';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** A step that takes longer is stopped and has failed. */
  readonly limitMinutes: number;
}

const STEPS: readonly Step[] = [
  { name: 'check', command: ['npm', 'run', 'check'], limitMinutes: 8 },
  { name: 'build', command: ['npm', 'run', 'build'], limitMinutes: 5 },
  // On a cold machine this builds the control plane, Prometheus and the Go programs that the suites ask.
  { name: 'test', command: ['npm', 'test'], limitMinutes: 62 },
  { name: 'quickstart', command: ['npm', 'run', 'quickstart', '--', '--once'], limitMinutes: 10 },
];

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** How long a step that is stopped may take to clean up. */
const GRACE_MS = 30_000;
const REPORTER = './scripts/ci-reporter.ts';

async function main(): Promise<void> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interruption.abort());
  const folder = await mkdtemp(join(tmpdir(), 'istio-operator-ci-'));
  const results: StepResult[] = [];
  try {
    for (const step of STEPS) {
      if (!interruption.signal.aborted)
        results.push(await runStep(step, join(folder, step.name), interruption.signal));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const { passed, failed } = totalCounts(results);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function runStep(step: Step, countsFile: string, interruption: AbortSignal): Promise<StepResult> {
  console.log(`\n=== ${step.command.join(' ')}`);
  const startMs = Date.now();
  await writeFile(countsFile, '');
  const succeeded = await runCommand(step, countsFile, interruption);
  const suites = parseCounts(await readFile(countsFile, 'utf8'));
  const seconds = Math.round((Date.now() - startMs) / 1000);
  console.log(`=== ${step.name} ${succeeded ? 'succeeded' : 'FAILED'} after ${seconds} s`);
  return { name: step.name, succeeded, suites };
}

async function runCommand(step: Step, countsFile: string, interruption: AbortSignal): Promise<boolean> {
  const [program, ...args] = step.command;
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, [COUNTS_VARIABLE]: countsFile, MOCHA_OPTIONS: `--reporter ${REPORTER}` },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true, // a group of its own, so that all of it can be ended
  });
  const end = (signal: NodeJS.Signals): void => endGroup(child.pid, signal);
  const endPolitely = (): void => end('SIGTERM');
  const limitMs = step.limitMinutes * 60_000;
  const timers = [setTimeout(endPolitely, limitMs), setTimeout(end, limitMs + GRACE_MS, 'SIGKILL')];
  interruption.addEventListener('abort', endPolitely);
  try {
    return await new Promise((resolve) => {
      child.once('error', () => resolve(false)).once('exit', (code) => resolve(code === 0));
    });
  } finally {
    interruption.removeEventListener('abort', endPolitely);
    for (const timer of timers) clearTimeout(timer);
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  console.log(`=== ending this step with ${signal}`);
  process.kill(-pid, signal);
}

await main();
