/** The operator as the image runs it, behind a chaos proxy: a process that can be killed and comes back at once. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../scripts/build/bundle.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { eventually } from '../operator/resources.ts';
import type { ChaosProxy } from './chaos-proxy.ts';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const COMPLAINTS_KEPT = 20;

/** By folder. Suites that share a control plane run one after the other, and the sources stay as they are meanwhile. */
const bundles = new Map<string, Promise<string>>();

/**
 * Bundles the present sources, once for each control plane and version, where another one is given; returns the file to
 * run. It goes with the control plane.
 */
export async function bundleOperator(plane: ControlPlane, version?: string): Promise<string> {
  const outdir = join(plane.directory, version === undefined ? 'operator' : `operator-${version}`);
  const bundled = bundles.get(outdir) ?? bundleInto(outdir, version);
  bundles.set(outdir, bundled);
  return bundled;
}

async function bundleInto(outdir: string, version: string | undefined): Promise<string> {
  const entries = { main: join(SRC, 'main.ts'), 'plan-worker': join(SRC, 'plan-worker.ts') };
  await bundle({ entries, outdir, ...(version === undefined ? {} : { version }) });
  return join(outdir, 'main.mjs');
}

/** One life of the process. */
interface Life {
  readonly child: ChildProcess;
  readonly messages: Map<string, number>;
  /** The keys of the resources that it has looked at. */
  readonly looked: Set<string>;
  /** Lines of what a module that was loaded into it writes to file descriptor 3. */
  readonly reports: AsyncIterator<string>;
  /** Set when we ended it; an end without it is the operator's own. */
  isWanted: boolean;
}

export interface OperatorSettings {
  /** From `bundleOperator`. */
  readonly program: string;
  readonly proxy: ChaosProxy;
  readonly namespace: string;
  /** Elects a leader by a lease in that namespace; without it the operator leads at once. */
  readonly leaseNamespace?: string;
  /** Flags of Node.js itself. */
  readonly nodeFlags?: readonly string[];
}

export class RestartedOperator {
  /** The last warnings and errors of all lives, for the report of a failure. */
  readonly complaints: string[] = [];
  /** Ends that nobody asked for; a correct operator has none. */
  unwantedEnds = 0;
  readonly #settings: OperatorSettings;
  #life: Life;

  constructor(settings: OperatorSettings) {
    this.#settings = settings;
    this.#life = this.#start();
  }

  /** How often the present process has logged a message. */
  count(message: string): number {
    return this.#life.messages.get(message) ?? 0;
  }

  /** Kills it without warning and starts it anew, as the kubelet does, without waiting for either. */
  crash(): void {
    this.#life.isWanted = true;
    this.#life.child.kill('SIGKILL');
    this.#life = this.#start();
  }

  /** Kills it, lets something happen while none runs, and starts it anew. */
  async crashAround(meanwhile: () => Promise<void>): Promise<void> {
    await this.#end('SIGKILL');
    await meanwhile();
    this.#life = this.#start();
  }

  /** The same after an orderly end, which gives the lease back: nobody has to wait until it expires. */
  async restartAround(meanwhile: () => Promise<void>): Promise<void> {
    await this.stop();
    await meanwhile();
    this.#life = this.#start();
  }

  /** Resolves when the present process has looked once at each of these resources, such as `a/b`; at any if none is named. */
  async untilItLooked(...keys: readonly string[]): Promise<void> {
    await eventually('the operator has looked', async () => {
      const { looked } = this.#life;
      return looked.size > 0 && keys.every((key) => looked.has(key));
    });
  }

  /** Asks a module that was loaded into it by `nodeFlags`; gives the next line that it reports, or '' when it has ended. */
  async report(signal: NodeJS.Signals): Promise<string> {
    const { child, reports } = this.#life;
    child.kill(signal);
    const next = await reports.next();
    return next.done === true ? '' : next.value;
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this.#life;
    this.#life.isWanted = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  #start(): Life {
    const { program, proxy, namespace, leaseNamespace, nodeFlags = [] } = this.#settings;
    const election =
      leaseNamespace === undefined ? ['--leader-elect=false'] : [`--operator-namespace=${leaseNamespace}`];
    const flags = [
      `--kubeconfig=${proxy.kubeconfigPath}`,
      `--watched-namespaces=${namespace}`,
      ...election,
      '--health-host=127.0.0.1',
      '--monitoring-host=127.0.0.1',
      '--health-port=0',
      '--monitoring-port=0',
      '--log-level=debug',
    ];
    const child = spawn(process.execPath, [...nodeFlags, program, 'run', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    const [output, reports] = [child.stdio[1] as Readable, child.stdio[3] as Readable]; // pipes, by the options above
    const life: Life = {
      child,
      messages: new Map(),
      looked: new Set(),
      reports: linesOf(reports),
      isWanted: false,
    };
    createInterface({ input: output }).on('line', (line) => this.#read(life, line));
    child.once('exit', () => {
      if (!life.isWanted) this.unwantedEnds += 1;
    });
    // Whatever ends us, it must not stay behind.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.removeListener('exit', kill));
    return life;
  }

  #read({ messages, looked }: Life, line: string): void {
    const entry = JSON.parse(line) as JsonValue; // what JSON.parse returns is a JsonValue by definition
    const message = stringAt(entry, 'message') ?? '';
    messages.set(message, (messages.get(message) ?? 0) + 1);
    if (message === 'reconciled') looked.add(stringAt(entry, 'key') ?? '');
    if (!['warn', 'error'].includes(stringAt(entry, 'level') ?? '')) return;
    this.complaints.push(line);
    if (this.complaints.length > COMPLAINTS_KEPT) this.complaints.shift();
  }
}

/** Each line when it is there. */
export function linesOf(stream: Readable): AsyncIterator<string> {
  return createInterface({ input: stream })[Symbol.asyncIterator]();
}
