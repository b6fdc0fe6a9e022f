/** `istio-operator run` as a process of its own, with its log and its HTTP endpoints. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { onProcessEnd } from '../control-plane/exit-guard.ts';
import { findFreePort } from '../control-plane/free-port.ts';
import { eventually } from './resources.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface ProcessSettings {
  readonly kubeconfigPath: string;
  /** Of `istio-operator run`. */
  readonly flags?: readonly string[];
  /** Of Node.js itself. */
  readonly nodeFlags?: readonly string[];
  /** The file to run; the present sources when absent. */
  readonly program?: string;
}

export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #lines: string[] = [];
  readonly #complaints: string[] = [];
  readonly #forget: () => void;
  readonly ended: Promise<unknown>;

  static async start(settings: ProcessSettings): Promise<OperatorProcess> {
    return new OperatorProcess(settings, await findFreePort());
  }

  private constructor(settings: ProcessSettings, port: number) {
    const { kubeconfigPath, flags = [], nodeFlags = [], program = MAIN } = settings;
    this.#port = port;
    const ports = [
      `--health-port=${port}`,
      `--monitoring-port=${port}`,
      '--health-host=127.0.0.1',
      '--monitoring-host=127.0.0.1',
    ];
    const args = [...nodeFlags, program, 'run', `--kubeconfig=${kubeconfigPath}`, ...ports, ...flags];
    this.#child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    this.#forget = onProcessEnd(() => this.#child.kill('SIGKILL'));
    this.#child.stdout
      ?.setEncoding('utf8')
      .on('data', (text: string) => this.#lines.push(...text.trimEnd().split('\n')));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints.push(text);
      process.stderr.write(text);
    });
    this.ended = once(this.#child, 'exit').finally(this.#forget);
  }

  /** Its log, one parsed line after the other. */
  get log(): readonly JsonValue[] {
    return this.#lines.map((line) => JSON.parse(line) as JsonValue); // what JSON.parse returns is a JsonValue by definition
  }

  /** All that it wrote, as it was written. */
  get output(): string {
    return [...this.#lines, ...this.#complaints].join('\n');
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  has(message: string): boolean {
    return this.log.some((line) => stringAt(line, 'message') === message);
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const answer = await request(`http://127.0.0.1:${this.#port}${path}`).catch(() => undefined);
    return { status: answer?.statusCode ?? 0, text: (await answer?.body.text()) ?? '' };
  }

  async untilReady(): Promise<void> {
    await eventually('the operator is ready', async () => (await this.get('/readyz')).status === 200);
  }

  /** Sends a signal and does not wait for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null> {
    if (this.isRunning) {
      this.#child.kill(signal);
      await this.ended;
    }
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}
