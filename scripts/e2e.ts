/**
 * `npm run test:e2e [-- MOCHA-ARGUMENT...]`: the end-to-end suites in two lanes side by side, each with a control plane of
 * its own, because most of them wait more than they work. What the first lane reports is shown as it comes, the other
 * report as soon as the first lane has ended. With arguments, only what they name is run and built, in one lane.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { prepare } from '../e2e/prepare.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOCHA = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));
const LANES: readonly (readonly string[])[] = [['e2e/!(faults)/**/*.e2e.ts'], ['e2e/faults/*.e2e.ts']];

class Lane {
  readonly ended: Promise<boolean>;
  #isShown = false;
  #kept: Buffer[] = [];

  constructor(args: readonly string[]) {
    const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? { FORCE_COLOR: '1' } : {};
    const child = spawn(process.execPath, [MOCHA, '--config', '.mocharc.e2e.json', ...args], {
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

async function main(args: readonly string[]): Promise<void> {
  const isWhole = args.length === 0;
  // A single suite builds by itself what it needs.
  if (isWhole) await prepare();
  const lanes = (isWhole ? LANES : [args]).map((each) => new Lane(each));
  const results: boolean[] = [];
  for (const lane of lanes) {
    lane.show();
    results.push(await lane.ended);
  }
  process.exitCode = results.every(Boolean) ? 0 : 1;
}

await main(process.argv.slice(2));
