/** The operator that poison is given to: the bundle, with the flags and the environment of deploy/operator.yaml. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { request } from 'undici';
import { ENVIRONMENT, memoryOf } from '../../scripts/bench/cluster/operator-process.ts';
import { NODE_FLAGS } from '../../scripts/image/node-flags.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { onProcessEnd } from '../control-plane/exit-guard.ts';
import { findFreePort } from '../control-plane/free-port.ts';
import { eventually } from '../operator/resources.ts';
import type { LoopLate } from './loop-late.port.ts';
import { bundleOperator, linesOf } from './operator-process.ts';

const LOOP_LATE = new URL('loop-late.ts', import.meta.url).href;
const RECONCILES = /^controller_runtime_reconcile_total\{.*\} (\S+)$/gmu;

export class PoisonOperator {
  readonly #port: number;
  readonly #child: ChildProcess;
  readonly #reports: AsyncIterator<string>;

  /** Resolves when it is ready. */
  static async start(plane: ControlPlane): Promise<PoisonOperator> {
    const operator = new PoisonOperator(plane, await bundleOperator(plane), await findFreePort());
    await eventually('the operator is ready', async () => (await operator.#get('/readyz')).status === 200);
    return operator;
  }

  private constructor(plane: ControlPlane, program: string, port: number) {
    this.#port = port;
    const at127 = ['--health-host=127.0.0.1', '--monitoring-host=127.0.0.1'];
    const ports = [`--health-port=${port}`, `--monitoring-port=${port}`];
    this.#child = spawn(
      process.execPath,
      [
        ...NODE_FLAGS,
        `--import=${LOOP_LATE}`,
        program,
        'run',
        `--kubeconfig=${plane.kubeconfigPath}`,
        ...ports,
        ...at127,
      ],
      { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], env: { PATH: process.env['PATH'], ...ENVIRONMENT } },
    );
    this.#reports = linesOf(this.#child.stdio[3] as Readable); // a pipe, by the options above
    this.#child.once(
      'exit',
      onProcessEnd(() => this.#child.kill('SIGKILL')),
    );
  }

  /** Null while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** How late the event loop was, from the start until now. Fails when the process has ended. */
  async loopLate(): Promise<LoopLate> {
    this.#child.kill('SIGUSR2');
    const next = await this.#reports.next();
    if (next.done === true) throw new Error('the operator has ended');
    return JSON.parse(next.value) as LoopLate; // what loop-late.ts writes
  }

  /** The most that was resident at any time. */
  async peakMib(): Promise<number> {
    return Math.round((await memoryOf(this.#child)).peakMib);
  }

  /** Of all resources, whatever came of them. */
  async reconciles(): Promise<number> {
    const counts = [...(await this.#metrics()).matchAll(RECONCILES)].map(([, count]) => Number(count));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  async #metrics(): Promise<string> {
    return (await this.#get('/metrics')).text;
  }

  async #get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await request(`http://127.0.0.1:${this.#port}${path}`).catch(() => undefined);
    return { status: answer?.statusCode ?? 0, text: (await answer?.body.text()) ?? '' };
  }
}
