/** The counts of the fault suites: printed by each run, kept in figures.json when FAULTS_RECORD is 1. */
import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { withFileLock } from '../control-plane/file-lock.ts';
import { systemClock } from '../control-plane/system-clock.ts';
import type { FaultRun, Tier } from './fault-run.ts';
import type { ProofName } from './proofs.ts';
import { PROOFS } from './proofs.ts';

/** What a suite counted, by words that are printed as they are: `{ plans: 612, differences: 0 }`. */
export type Counts = Readonly<Record<string, number | string>>;

export interface ProofResult {
  readonly counts: Counts;
  /** Whether this run reached what its tier asks for, size included; the target of the proof is that of tier 2. */
  readonly isMet: boolean;
}

/** The last recorded run of one proof. */
export interface Figure extends ProofResult {
  readonly tier: Tier;
  readonly seed: number;
  /** Such as `2026-11-21`. */
  readonly date: string;
  /** Cores, memory and architecture. */
  readonly machine: string;
}

export type Figures = Readonly<Partial<Record<ProofName, Figure>>>;

const FIGURES = fileURLToPath(new URL('figures.json', import.meta.url));

/**
 * Prints what a proof came to in one line and, in a recorded run, keeps it in place of the last. Rejects when a run that
 * nothing cut short has missed its target.
 */
export async function recordProof(run: FaultRun, name: ProofName, result: ProofResult): Promise<void> {
  const line = figureLine(run, name, result);
  console.log(line);
  if (run.isRecorded) await keep(run, name, result);
  if (run.tier === 2 && run.isWhole && !result.isMet) throw new Error(line);
}

async function keep(run: FaultRun, name: ProofName, result: ProofResult): Promise<void> {
  const figure = { ...result, tier: run.tier, seed: run.seed, date: today(), machine: machine() };
  // Several suites may run at a time.
  await withFileLock({ path: `${FIGURES}.lock`, clock: systemClock, onWait: () => undefined }, async () => {
    const figures = { ...(await readFigures()), [name]: figure };
    await writeFile(FIGURES, `${JSON.stringify(figures, undefined, 2)}\n`);
  });
}

/** What was recorded last, by proof. */
export async function readFigures(): Promise<Figures> {
  return JSON.parse(await readFile(FIGURES, 'utf8')) as Figures; // only recordProof writes it
}

/** Such as `faults crashes: plans 612, differences 0 (tier 2, seed 1; target ≥ 600 plans: met)`. */
export function figureLine(
  { tier, seed }: Pick<FaultRun, 'tier' | 'seed'>,
  name: ProofName,
  { counts, isMet }: ProofResult,
): string {
  const target = tier === 2 ? `target ${PROOFS[name].target}` : 'target of the sample';
  const outcome = `${target}: ${isMet ? 'met' : 'not met'}`;
  return `faults ${name}: ${countsText(counts)} (tier ${tier}, seed ${seed}; ${outcome})`;
}

export function countsText(counts: Counts): string {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
}

/** Such as `2026-11-21`, in UTC. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** What it was measured on, such as `2 cores, 24 GiB, x64`. */
export function machine(): string {
  return `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${arch()}`;
}
