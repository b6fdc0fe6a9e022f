/** Measures a program as a whole process: start, work and end. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { median } from './figure.ts';

/** Loaded before the program; writes its largest resident memory, in KiB, to file descriptor 3 when it ends. */
const MEMORY_HOOK = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs';" +
    "process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));",
)}`;

export interface ProcessCost {
  /** Median over several runs. */
  readonly wallMs: number;
  readonly maxRssMib: number;
}

/** Runs a program of Node.js that many times, and once more for its memory. Rejects when it fails. */
export async function measureProgram(args: readonly string[], runs: number): Promise<ProcessCost> {
  const wallTimesMs: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const startMs = performance.now();
    await runNode(args);
    wallTimesMs.push(performance.now() - startMs);
  }
  // Apart from the timed runs, because the hook costs time too.
  const maxRssKib = Number(await runNode(['--import', MEMORY_HOOK, ...args]));
  return { wallMs: median(wallTimesMs), maxRssMib: maxRssKib / 1024 };
}

/** Resolves with what the program wrote to file descriptor 3. */
async function runNode(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`node ${args.join(' ')} ended with code ${code}`));
    });
  });
  const [report] = await Promise.all([text(child.stdio[3] as Readable), ended]); // a pipe, by the options above
  return report;
}
