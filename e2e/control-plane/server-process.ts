/** One long-running program of the control plane. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './last-lines.ts';
import { killGroup } from './plane-directory.ts';
import { identifyProcess } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { Program } from './programs.ts';

export interface ServerCommand {
  readonly program: Program;
  readonly path: string;
  readonly args: readonly string[];
}

export interface ServerProcess {
  readonly command: ServerCommand;
  readonly identity: ProcessIdentity;
  /** How it ended, such as `exit code 1`; undefined while it runs. */
  end(): string | undefined;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<void>;
  /** The last lines of its log. */
  lastLines(): string;
}

/**
 * Starts a server in the control plane's folder, with its output appended to `<program>.log` there. It gets a session
 * of its own, so that Ctrl-C in the terminal reaches us only and the servers are ended in order. Its environment is
 * next to empty, because etcd and kwok take settings from variables and from files in the home folder.
 */
export async function startServer(command: ServerCommand, directory: string): Promise<ServerProcess> {
  const logPath = join(directory, `${command.program}.log`);
  const log = openSync(logPath, 'a');
  const child = spawn(command.path, command.args, {
    cwd: directory,
    detached: true,
    env: { HOME: directory, PATH: process.env['PATH'] },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  if (child.pid === undefined) {
    const [cause]: unknown[] = await once(child, 'error').catch((error: unknown) => [error]);
    throw new Error(`${command.path} can't be run`, { cause });
  }
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end = signal === null ? `exit code ${code}` : `signal ${signal}`;
      resolve();
    });
  });
  return {
    command,
    // Without an identity it has ended already; nothing may be done to its number then.
    identity: identifyProcess(child.pid) ?? { pid: child.pid, started: '' },
    end: () => end,
    ended,
    lastLines: () => lastLines(readFileSync(logPath, 'utf8')),
  };
}

/** Ends a server: by the given signal, and by SIGKILL when it has not ended after the time of grace. */
export async function endServer(
  server: ServerProcess,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  killGroup(server.identity, signal);
  const timer = setTimeout(() => killGroup(server.identity, 'SIGKILL'), graceMs);
  await server.ended;
  clearTimeout(timer);
}
