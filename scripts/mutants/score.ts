/** What a run of mutants says about each module. */
import { relative } from 'node:path';
import type { MutantResult } from '@stryker-mutator/api/core';

export interface ModuleScore {
  readonly module: string;
  /** Of its mutants, how many a test noticed; none when nothing could be changed. */
  readonly percent: number;
  readonly noticed: number;
  readonly all: number;
}

type Mutant = Pick<MutantResult, 'fileName' | 'status' | 'location' | 'mutatorName' | 'replacement'>;

/** A test that fails has noticed a mutant, and so has one that does not end. */
const NOTICED: ReadonlySet<Mutant['status']> = new Set(['Killed', 'Timeout']);
/** No test ran these, or every one passed. */
const MISSED: ReadonlySet<Mutant['status']> = new Set(['Survived', 'NoCoverage']);

export function scoresOf(modules: readonly string[], mutants: readonly Mutant[]): readonly ModuleScore[] {
  return modules.map((module) => {
    const own = mutants.filter(({ fileName }) => pathOf(fileName) === module);
    const noticed = own.filter(({ status }) => NOTICED.has(status)).length;
    const all = noticed + own.filter(({ status }) => MISSED.has(status)).length;
    return { module, noticed, all, percent: all === 0 ? 0 : (100 * noticed) / all };
  });
}

/** What no test noticed, one a line. */
export function survivorsOf(mutants: readonly Mutant[]): string {
  return mutants
    .filter(({ status }) => !NOTICED.has(status))
    .map(
      ({ fileName, location, mutatorName, replacement, status }) =>
        `${pathOf(fileName)}:${location.start.line}:${location.start.column} ${status} ${mutatorName}: ${replacement ?? ''}\n`,
    )
    .join('');
}

function pathOf(fileName: string): string {
  return relative('.', fileName);
}
