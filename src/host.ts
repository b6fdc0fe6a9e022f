/** The real world behind the ports of the command line. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { CommandError, EXIT, failure, sayDiagnostics, Trouble } from './cli/command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './cli/environment.ts';
import type { Terminal } from './cli/terminal.ts';
import { systemClock } from './cluster/system-clock.ts';
import { isClusterError } from './model/cluster-error.ts';
import { VERSION } from './version.ts';

/**
 * Beside this module, in the source tree as in the bundle: the bundle keeps this module in `main.mjs` itself, and moves
 * what is imported on demand.
 */
const PLAN_WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './plan-worker.ts' : './plan-worker.mjs',
  import.meta.url,
);

export interface Host {
  readonly environment: CommandEnvironment;
  /** Tells what went wrong and gives the exit code. */
  readonly failed: (error: unknown) => number;
}

export function hostEnvironment(): Host {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exitCode = error.code === 'EPIPE' ? EXIT.ok : EXIT.failed;
  });
  const terminal = hostTerminal();
  const environment: CommandEnvironment = {
    terminal,
    clock: systemClock,
    signal: interruption.signal,
    version: VERSION,
    readText: async (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
    ask: async (question) => ask(question, interruption.signal),
    filesIn,
    writeText,
    loadAssets: async () => (await import('./assets/load.ts')).loadAssets(),
    connect: async (choice) => connect(choice),
    runOperator: async (flags) => {
      const { runOperator } = await import('./run-operator.ts');
      const { signal } = interruption;
      return runOperator({ flags, env: process.env, signal, planWorker: PLAN_WORKER, clock: systemClock });
    },
  };
  return { environment, failed: (error) => failed(terminal, interruption.signal, error) };
}

/** Reads no more than the line, so that `yes |` and a person are treated alike. */
async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  // As a terminal it would swallow Ctrl-C instead of leaving it to the process.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false, signal });
  try {
    // At the end of the input, or at Ctrl-C, the interface closes without an answer.
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(undefined));
      lines.question(question, resolve);
    });
  } finally {
    lines.close();
  }
}

async function filesIn(path: string): Promise<readonly string[] | undefined> {
  if (path === '-' || !(await stat(path)).isDirectory()) return undefined;
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => join(path, name));
  return files.toSorted();
}

async function writeText(path: string, content: string, mode = 0o666): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode });
}

function hostTerminal(): Terminal {
  return {
    print: (chunk) => void process.stdout.write(chunk),
    say: (line) => void process.stderr.write(`${line}\n`),
    // Honours NO_COLOR, FORCE_COLOR and pipes.
    style: (style, chunk) => styleText(style, chunk, { stream: process.stderr }),
    styleData: (style, chunk) => styleText(style, chunk, { stream: process.stdout }),
    isInteractive: process.stderr.isTTY,
  };
}

/** Connects as kubectl would. Rejects with a CommandError when there are no usable credentials. */
export async function connect(choice: ClusterChoice): Promise<Connection> {
  const [{ loadCredentials }, { createTransport }, { createDiscovery }, { createCluster }] =
    await Promise.all([
      import('./cluster/credentials.ts'),
      import('./cluster/transport.ts'),
      import('./cluster/discovery.ts'),
      import('./cluster/cluster.ts'),
    ]);
  const loaded = await loadCredentials({ env: process.env, clock: systemClock, preferPod: false, ...choice });
  if (loaded.kind === 'unusable') throw new CommandError([loaded.problem]);
  const { credentials } = loaded;
  const userAgent = `istio-operator/${VERSION}`;
  const transport = createTransport({ credentials, clock: systemClock, random: Math.random, userAgent });
  const discovery = createDiscovery({ transport, clock: systemClock });
  return {
    cluster: createCluster({ transport, discovery }),
    server: credentials.server,
    ...(credentials.namespace === undefined ? {} : { namespace: credentials.namespace }),
    close: async () => transport.close(),
  };
}

function failed(terminal: Terminal, signal: AbortSignal, error: unknown): number {
  if (signal.aborted) {
    terminal.say('Interrupted.');
    return EXIT.interrupted;
  }
  const { reason, exitCode } =
    error instanceof Trouble
      ? { reason: error.cause, exitCode: error.exitCode }
      : { reason: error, exitCode: EXIT.failed };
  sayDiagnostics(terminal, toCommandError(reason).diagnostics);
  return exitCode;
}

function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (isClusterError(error)) {
    const remedy = REMEDIES[error.kind] ?? 'Look at the message of the API server.';
    return failure('clusterRefuses', error.message, remedy);
  }
  // A fault of ours: the stack is what a report needs.
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return failure('faultOfOurs', cause, 'This is a fault of istio-operator: please report it with this text.');
}

const REMEDIES: Readonly<Record<string, string>> = {
  unavailable: 'Check that the cluster can be reached: kubectl get --raw /readyz.',
  forbidden: 'Ask for the rights that are named, or use another context.',
  absent: 'Check that the resource definitions are installed: istio-operator init.',
  conflict: 'Someone else changed the object at the same time: run the command again.',
};
