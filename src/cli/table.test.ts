import { expect } from 'chai';
import { displayAge, table } from './table.ts';

describe('table', () => {
  it('makes columns as wide as their widest cell and leaves no blanks at the end', () => {
    const text = table(
      [
        ['NAME', 'STATE'],
        ['istiod', ''],
      ],
      '  ',
    );

    expect(text).to.equal('  NAME     STATE\n  istiod\n');
  });

  it('is empty without rows', () => {
    expect(table([])).to.equal('');
  });
});

describe('displayAge', () => {
  it('uses the largest unit that still tells something', () => {
    const seconds = [-5, 119, 120, 7_199, 7_200, 172_799, 172_800];

    const ages = seconds.map((count) => displayAge(count * 1_000));

    expect(ages).to.deep.equal(['0s', '119s', '2m', '119m', '2h', '47h', '2d']);
  });
});
