/** The operator as a process, with what can be told of it from outside. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { ControlPlane } from '../../../e2e/control-plane/control-plane.ts';
import { findFreePort } from '../../../e2e/control-plane/free-port.ts';
import { NODE_FLAGS } from '../../image/node-flags.ts';

export interface MeasuredOperator {
  /** Resident memory now, and the most it was. */
  memory(): Promise<{ readonly residentMib: number; readonly peakMib: number }>;
  /** Open TCP connections to the API server. */
  connections(): Promise<number>;
  /** Sums of its own counters by the name of the metric; labels are added up unless they are asked for. */
  counter(name: string, label?: { readonly name: string; readonly value: string }): Promise<number>;
  stop(): Promise<void>;
}

export interface OperatorSettings {
  readonly program: string;
  readonly namespace: string;
}

/** The same limits as in deploy/operator.yaml. */
export const ENVIRONMENT = {
  NODE_OPTIONS: '--max-old-space-size=160 --max-semi-space-size=2 --disallow-code-generation-from-strings',
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '32768',
};
const READY_TIMEOUT_MS = 60_000;

/** Starts it as the administrator and resolves when it is ready. */
export async function startMeasured(
  plane: ControlPlane,
  { program, namespace }: OperatorSettings,
): Promise<MeasuredOperator> {
  const port = await findFreePort();
  const flags = {
    kubeconfig: plane.kubeconfigPath,
    'operator-namespace': namespace,
    'health-host': '127.0.0.1',
    'health-port': String(port),
    'monitoring-host': '127.0.0.1',
    'monitoring-port': String(port),
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [...NODE_FLAGS, program, 'run', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], ...ENVIRONMENT },
  });
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await request(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    return { status: answer?.statusCode ?? 0, text: (await answer?.body.text()) ?? '' };
  };
  await until('the operator is ready', READY_TIMEOUT_MS, async () => (await get('/readyz')).status === 200);
  return {
    memory: () => memoryOf(child),
    connections: () => connectionsOf(child, Number(new URL(plane.server).port)),
    counter: async (name, label) => sumOf((await get('/metrics')).text, name, label),
    stop: () => ended(child),
  };
}

/** Looks every few milliseconds. Rejects after `timeoutMs`. */
export async function until(
  what: string,
  timeoutMs: number,
  look: () => Promise<boolean>,
  pollMs = 20,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await look())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await delay(pollMs);
  }
}

export async function memoryOf({ pid }: ChildProcess): Promise<{ residentMib: number; peakMib: number }> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8');
  const mib = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'mu').exec(status)?.[1] ?? 'NaN') / 1024;
  return { residentMib: mib('VmRSS'), peakMib: mib('VmHWM') };
}

async function connectionsOf({ pid }: ChildProcess, port: number): Promise<number> {
  const folder = `/proc/${pid ?? 0}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')),
  );
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const table = (await readFile(`/proc/${pid ?? 0}/net/tcp`, 'utf8')).split('\n').slice(1);
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to = '', , , , , , , inode = '']) => to.endsWith(remote) && sockets.has(inode)).length;
}

function sumOf(text: string, name: string, label?: { name: string; value: string }): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const wanted =
    label === undefined ? lines : lines.filter((line) => line.includes(`${label.name}="${label.value}"`));
  return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
