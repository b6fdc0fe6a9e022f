import { expect } from 'chai';
import { changesBetween } from './release-changes.ts';
import type { Release } from './releases.ts';
import { releaseOfLine } from './releases.ts';

function release(line: string): Release {
  const found = releaseOfLine(line);
  if (found === undefined) throw new Error(`no line ${line}`);
  return found;
}

function told(from: string, to: string): string[] {
  return changesBetween(release(from), release(to)).map(({ feature, change }) => `${change} ${feature}`);
}

describe('changesBetween', () => {
  it('tells what a line gains and loses', () => {
    expect(told('1.28', '1.29')).to.include.members(['gained revocationLists', 'lost istiodMemoryLimit']);
  });

  it('tells the opposite on the way back, and nothing of what both have', () => {
    const [forth, back] = [told('1.29', '1.30'), told('1.30', '1.29')];

    expect(
      back
        .map((text) => text.replace('gained', 'x').replace('lost', 'gained').replace('x', 'lost'))
        .toSorted(),
    ).to.deep.equal(forth.toSorted());
    expect(told('1.30', '1.30')).to.deep.equal([]);
  });
});
