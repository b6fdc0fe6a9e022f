/** The operator as a process of its own, as in a pod: `istio-operator run`. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OperatorAccess } from './operator-rights.ts';
import type { Talk } from './talk.ts';

export interface OperatorProcess {
  /** The last lines of its log. */
  lastLines(): Promise<string>;
  residentMiB(): Promise<number>;
  /** Resolves when it has ended, or the signal is aborted. */
  ended(signal: AbortSignal): Promise<void>;
  /** Ends it as Kubernetes would, and removes its files. */
  stop(): Promise<void>;
}

/** What the image holds; `npm run quickstart` builds it first. */
const MAIN = join(import.meta.dirname, '../../dist/main.mjs');
const STOP_TIMEOUT_MS = 10_000;

/** `program` is the file to run: the source tree's, or the bundle. */
export async function startOperatorProcess(
  talk: Talk,
  access: OperatorAccess,
  program: string = MAIN,
): Promise<OperatorProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'istio-operator-quickstart-'));
  const kubeconfig = join(directory, 'kubeconfig');
  const logPath = join(directory, 'operator.log');
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(access)), { mode: 0o600 });
  const log = await open(logPath, 'w');
  const child = spawn(
    process.execPath,
    [
      program,
      'run',
      '--kubeconfig',
      kubeconfig,
      '--leader-elect',
      'false',
      '--monitoring-port',
      '0',
      '--health-port',
      '0',
    ],
    // A group of its own: Ctrl-C in the terminal must not reach it before we stop it.
    {
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      env: { ...process.env, ...access.environment },
    },
  );
  await log.close();
  // Whatever ends us, it must not stay behind.
  process.once('exit', () => child.kill('SIGKILL'));
  talk.say(`  running as process ${child.pid ?? '?'}, log in ${logPath}`);
  return {
    lastLines: async () => (await readFile(logPath, 'utf8')).trim().split('\n').slice(-5).join('\n'),
    residentMiB: () => residentMiB(child),
    ended: (signal) => ended(child, signal),
    stop: async () => {
      await stopped(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function kubeconfigOf({ server, certificateAuthority, token }: OperatorAccess): object {
  const ca =
    certificateAuthority === undefined ? {} : { 'certificate-authority-data': base64(certificateAuthority) };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'operator',
    contexts: [{ name: 'operator', context: { cluster: 'cluster', user: 'operator' } }],
    clusters: [{ name: 'cluster', cluster: { server, ...ca } }],
    users: [{ name: 'operator', user: { token } }],
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function residentMiB(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmRSS:\s+(\d+)/mu.exec(status)?.[1] ?? '0';
  return Math.round(Number(kibibytes) / 1024);
}

async function ended(child: ChildProcess, signal: AbortSignal): Promise<void> {
  if (!isRunning(child) || signal.aborted) return;
  // Rejects only when the signal is aborted.
  await once(child, 'exit', { signal }).catch(() => undefined);
}

async function stopped(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  child.kill('SIGTERM');
  await ended(child, AbortSignal.timeout(STOP_TIMEOUT_MS));
  if (isRunning(child)) child.kill('SIGKILL');
}
