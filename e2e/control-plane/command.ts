/** Runs a short-lived program to its end. The servers of the control plane are run by server-process.ts. */
import { spawn } from 'node:child_process';
import { onProcessEnd } from './exit-guard.ts';
import { lastLines } from './last-lines.ts';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Where its standard output goes; discarded when absent. */
  readonly stdout?: number;
}

export type CommandResult =
  | { readonly kind: 'succeeded' }
  /** It could not be run or ended badly; the reason holds the last lines of what it said on standard error. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Runs a command and waits for it. It ends with this process when that is interrupted. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', options.stdout ?? 'ignore', 'pipe'],
  });
  const complaint: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => complaint.push(text));
  const release = onProcessEnd(() => child.kill());
  return new Promise<CommandResult>((resolve) => {
    child.once('error', (error) => {
      resolve({ kind: 'failed', reason: `${command} can't be run (${error.message})` });
    });
    child.once('close', (code) => {
      const reason = `${command} ${args[0] ?? ''} failed:\n${lastLines(complaint.join(''))}`;
      resolve(code === 0 ? { kind: 'succeeded' } : { kind: 'failed', reason });
    });
  }).finally(release);
}
