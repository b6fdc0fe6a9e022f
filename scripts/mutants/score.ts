/** What a run of mutants says about each module. */
import { relative } from 'node:path';
import type { MutantResult } from '@stryker-mutator/api/core';

export interface ModuleScore {
  readonly module: string;
  /** Of its mutants, how many a test noticed; none when nothing could be changed. */
  readonly percent: number;
  readonly noticed: number;
  /** Of these, how many were ended after a time; on a machine that is too busy they may have been noticed by nobody. */
  readonly ended: number;
  readonly all: number;
}

type Mutant = Pick<MutantResult, 'fileName' | 'status' | 'location' | 'mutatorName' | 'replacement'>;

/** A test that fails has noticed a mutant, and so has one that does not end. */
const NOTICED: ReadonlySet<Mutant['status']> = new Set(['Killed', 'Timeout']);
const ENDED: ReadonlySet<Mutant['status']> = new Set(['Timeout']);
/** No test ran these, or every one passed. */
const MISSED: ReadonlySet<Mutant['status']> = new Set(['Survived', 'NoCoverage']);

export function scoresOf(modules: readonly string[], mutants: readonly Mutant[]): readonly ModuleScore[] {
  return modules.map((module) => {
    const own = mutants.filter(({ fileName }) => pathOf(fileName) === module);
    const countOf = (statuses: ReadonlySet<Mutant['status']>): number =>
      own.filter(({ status }) => statuses.has(status)).length;
    const noticed = countOf(NOTICED);
    const all = noticed + countOf(MISSED);
    return { module, noticed, ended: countOf(ENDED), all, percent: all === 0 ? 0 : (100 * noticed) / all };
  });
}

export function isBelow({ percent }: ModuleScore, floor: number): boolean {
  return percent < floor;
}

export function printScore(score: ModuleScore, floor: number): string {
  const { module, percent, noticed, ended, all } = score;
  const byTime = ended === 0 ? '' : `, ${ended} of them by not ending`;
  const mark = isBelow(score, floor) ? `  BELOW ${floor} %` : '';
  return `${module.padEnd(36)} ${percent.toFixed(1).padStart(5)} %  ${noticed} of ${all}${byTime}${mark}`;
}

/** What no test noticed, one a line. */
export function survivorsOf(mutants: readonly Mutant[]): string {
  return mutants
    .filter(({ status }) => MISSED.has(status))
    .map(
      ({ fileName, location, mutatorName, replacement, status }) =>
        `${pathOf(fileName)}:${location.start.line}:${location.start.column} ${status} ${mutatorName}: ${replacement ?? ''}\n`,
    )
    .join('');
}

function pathOf(fileName: string): string {
  return relative('.', fileName);
}
