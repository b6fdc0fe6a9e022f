/** What the unit tests of this folder share. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/model/clock.ts';
import type { Progress } from './progress.ts';

/** For suites that start processes: plenty, so that only a hang exceeds it, however busy the machine is. */
export const PROCESSES_TIMEOUT_MS = 30_000;

/** A clock on which every sleep is over at once, after whatever else is ready to run. */
export function impatientClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      await nextTurn();
      nowMs += ms;
    },
  };
}

export interface RecordedProgress extends Progress {
  readonly lines: readonly string[];
}

/** Keeps every line; `onLine` sees how many there are by now. */
export function recordedProgress(onLine: (count: number) => void = () => {}): RecordedProgress {
  const lines: string[] = [];
  return { lines, line: (text) => onLine(lines.push(text)) };
}

/** Gives each test of a suite an empty folder of its own. */
export function useTemporaryFolder(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'control-plane-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

export interface ModuleOptions {
  readonly args?: readonly string[];
  /** For modules that fail on purpose. */
  readonly stderr?: 'inherit' | 'ignore';
}

/** Starts Node with the text of a module that may import the files of this folder by `./`. */
export function startModule(
  text: string,
  { args = [], stderr = 'inherit' }: ModuleOptions = {},
): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', text, '--', ...args], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', stderr],
  });
}

/** Waits for the first thing that a program says on standard output. */
export async function firstOutput(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout ?? []) return String(chunk);
  throw new Error('the program ended without a word');
}

/** How a program ended: its exit code, or the signal that killed it. */
export async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? child.exitCode ?? Number.NaN;
}
