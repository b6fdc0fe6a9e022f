/** The command line as a process of its own, as people run it. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, with a text on its standard input. */
export async function run(args: readonly string[], input = ''): Promise<Finished> {
  const env = { PATH: process.env['PATH'], NO_COLOR: '1', HOME: '/nonexistent' };
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  child.stdin.end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>, // documented arguments of the event
  ]);
  return { exitCode, stdout, stderr };
}
