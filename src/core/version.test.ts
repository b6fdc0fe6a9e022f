import { expect } from 'chai';
import { compareLines, versionOf } from './version.ts';

describe('versionOf', () => {
  const table = {
    '1.30.3': { line: '1.30', patch: 3 },
    '1.30': { line: '1.30' },
    '1.30.3-acme': { line: '1.30', patch: 3 },
    '1.31.0-rc.0': { line: '1.31', patch: 0 },
    '1.30-alpha.7f3c': { line: '1.30' },
    '1.30.3_debug': { line: '1.30', patch: 3 },
    latest: undefined,
    '7': undefined,
    '': undefined,
    '1.30rc': undefined,
    'acme-1.30.3': undefined,
    '2026.11.21.4x': { line: '2026.11', patch: 21 },
  };

  for (const [tag, version] of Object.entries(table)) {
    it(`reads "${tag}" as ${version === undefined ? 'no version' : version.line}`, () => {
      expect(versionOf(tag)).to.deep.equal(version);
    });
  }
});

describe('compareLines', () => {
  it('orders lines by their numbers and not by their text', () => {
    const lines = ['1.30', '2.0', '1.9', '1.28'];

    expect(lines.toSorted(compareLines)).to.deep.equal(['1.9', '1.28', '1.30', '2.0']);
  });
});
