/** How large the fault suites run, and what they counted: printed in one line each, and recorded when asked for. */
import { readFile, writeFile } from 'node:fs/promises';
import { isJsonObject } from '../../src/model/json.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';

/** 1: a sample, in every run of the tests. 2: everything, by `npm run e2e:faults`. */
export type Tier = 1 | 2;

const TIER: Tier = process.env['FAULTS_TIER'] === '2' ? 2 : 1;

/** What random choices are made from; `FAULTS_SEED` repeats a run. */
export const SEED: number = Number(process.env['FAULTS_SEED'] ?? 20_261_121);

/** Chooses by tier. */
export function sized<T>(sizes: { readonly tier1: T; readonly tier2: T }): T {
  return TIER === 2 ? sizes.tier2 : sizes.tier1;
}

export interface Figures {
  /** Such as `fail-over`; one row of docs/reliability.md. */
  readonly suite: string;
  /** By name, in the order in which they are printed. */
  readonly counts: Readonly<Record<string, number | string>>;
  /** What the counts should come to in tier 2, in words. */
  readonly target: string;
  readonly isMet: boolean;
}

const FILE = new URL('figures.json', import.meta.url);

/** Prints the figures of a suite, and with `FAULTS_RECORD=1` keeps them in figures.json instead of those before. */
export async function reportFigures(figures: Figures): Promise<void> {
  const counts = Object.entries(figures.counts).map(([name, count]) => `${name} ${count}`);
  const verdict = figures.isMet ? 'met' : 'NOT met';
  console.log(
    `faults: ${figures.suite} (tier ${TIER}, seed ${SEED}): ${counts.join(', ')}; ${figures.target}: ${verdict}`,
  );
  if (process.env['FAULTS_RECORD'] === '1') await record(figures);
}

async function record({ suite, counts, target, isMet }: Figures): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const row: JsonObject = { tier: TIER, seed: SEED, date, counts: { ...counts }, target, isMet };
  const all = { ...(await recorded()), [suite]: row };
  const inOrder = Object.fromEntries(
    Object.entries(all).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  );
  await writeFile(FILE, `${JSON.stringify(inOrder, null, 2)}\n`);
}

async function recorded(): Promise<JsonObject> {
  const text = await readFile(FILE, 'utf8').catch(() => '{}');
  const parsed = JSON.parse(text) as JsonValue; // what JSON.parse returns is a JsonValue by definition
  return isJsonObject(parsed) ? parsed : {};
}

/** The middle and the largest of some durations, in whole milliseconds, as `p50/max`. */
export function spreadOf(durationsMs: readonly number[]): string {
  const sorted = durationsMs.toSorted((left, right) => left - right);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${Math.round(middle)}/${Math.round(sorted.at(-1) ?? 0)} ms`;
}
