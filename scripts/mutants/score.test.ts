import { resolve } from 'node:path';
import type { MutantResult } from '@stryker-mutator/api/core';
import { expect } from 'chai';
import { printScore, scoresOf, survivorsOf } from './score.ts';

type Mutant = Parameters<typeof scoresOf>[1][number];

function mutant(fileName: string, status: MutantResult['status']): Mutant {
  const place = { line: 7, column: 3 };
  return {
    fileName: resolve(fileName),
    status,
    mutatorName: 'BooleanLiteral',
    replacement: 'false',
    location: { start: place, end: place },
  };
}

const STATUSES = [
  'Killed',
  'Killed',
  'Timeout',
  'Survived',
  'NoCoverage',
  'Ignored',
  'CompileError',
  'RuntimeError',
] as const;
const MUTANTS = [mutant('src/a.ts', 'Survived'), ...STATUSES.map((status) => mutant('src/b.ts', status))];

describe('the scores of mutants', () => {
  it('counts what a test noticed, or did not end with, of all that were tried', () => {
    expect(scoresOf(['src/b.ts', 'src/a.ts'], MUTANTS)).to.deep.equal([
      { module: 'src/b.ts', noticed: 3, ended: 1, all: 5, percent: 60 },
      { module: 'src/a.ts', noticed: 0, ended: 0, all: 1, percent: 0 },
    ]);
  });

  it('does not praise a module of which nothing was tried, as after it was renamed', () => {
    expect(scoresOf(['src/c.ts'], MUTANTS)).to.deep.equal([
      { module: 'src/c.ts', noticed: 0, ended: 0, all: 0, percent: 0 },
    ]);
  });

  it('lists what nothing noticed, as places that an editor can open', () => {
    expect(survivorsOf([mutant('src/a.ts', 'Survived'), mutant('src/a.ts', 'Killed')])).to.equal(
      'src/a.ts:7:3 Survived BooleanLiteral: false\n',
    );
  });

  it('marks what is below the floor', () => {
    const score = { module: 'src/a.ts', noticed: 179, ended: 3, all: 200, percent: 89.5 };

    expect([printScore(score, 90), printScore(score, 89.5)]).to.deep.equal([
      'src/a.ts                              89.5 %  179 of 200, 3 of them by not ending  BELOW 90 %',
      'src/a.ts                              89.5 %  179 of 200, 3 of them by not ending',
    ]);
  });
});
