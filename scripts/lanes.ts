/** Runs of mocha side by side. What the first one reports is shown as it comes, each other report when it is its turn. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOCHA = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));

/** One for each list of arguments. Resolves when all have ended, with whether all passed. */
export async function runLanes(lanes: readonly (readonly string[])[]): Promise<boolean> {
  const started = lanes.map((args) => new Lane(args));
  const results: boolean[] = [];
  for (const lane of started) {
    lane.show();
    results.push(await lane.ended);
  }
  return results.every(Boolean);
}

class Lane {
  readonly ended: Promise<boolean>;
  #isShown = false;
  #kept: Buffer[] = [];

  constructor(args: readonly string[]) {
    const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? { FORCE_COLOR: '1' } : {};
    const child = spawn(process.execPath, [MOCHA, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...colour },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [child.stdout, child.stderr]) this.#follow(output);
    const end = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
    this.ended = new Promise((resolve) => void child.once('close', (code) => resolve(code === 0)));
  }

  /** What was kept so far, and everything from now on. */
  show(): void {
    this.#isShown = true;
    for (const chunk of this.#kept.splice(0)) process.stdout.write(chunk);
  }

  #follow(output: Readable): void {
    output.on('data', (chunk: Buffer) => {
      if (this.#isShown) process.stdout.write(chunk);
      else this.#kept.push(chunk);
    });
  }
}
