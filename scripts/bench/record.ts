/** The last recorded run of each bench, in figures.json. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { machine, today } from '../../e2e/faults/figures.ts';
import type { Figure } from './figure.ts';

/** In the order in which they are run and shown. */
export const BENCH_NAMES = ['plan', 'command', 'install', 'rest', 'drift', 'many'] as const;

export type BenchName = (typeof BENCH_NAMES)[number];

export interface BenchRecord {
  /** Such as `2026-11-21`. */
  readonly date: string;
  /** Cores, memory and architecture. */
  readonly machine: string;
  readonly figures: readonly Figure[];
}

export type BenchRecords = Readonly<Partial<Record<BenchName, BenchRecord>>>;

const FIGURES = fileURLToPath(new URL('figures.json', import.meta.url));

export function isBenchName(name: string): name is BenchName {
  return BENCH_NAMES.some((known) => known === name);
}

/** Keeps what one bench measured just now in place of its last figures. */
export async function recordBench(name: BenchName, figures: readonly Figure[]): Promise<void> {
  const record: BenchRecord = { date: today(), machine: machine(), figures: figures.map(rounded) };
  await writeFile(
    FIGURES,
    `${JSON.stringify({ ...(await readBenchRecords()), [name]: record }, undefined, 2)}\n`,
  );
}

export async function readBenchRecords(): Promise<BenchRecords> {
  return JSON.parse(await readFile(FIGURES, 'utf8')) as BenchRecords; // only recordBench writes it
}

/** To what can mean anything. */
function rounded(figure: Figure): Figure {
  return { ...figure, value: Number(figure.value.toPrecision(4)) };
}
