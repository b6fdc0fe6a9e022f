import { expect } from 'chai';
import { jsonPatch } from './json-patch.ts';

describe('jsonPatch', () => {
  it('adds, removes and replaces keys, with slashes and tildes escaped', () => {
    expect(jsonPatch({ a: 1, 'b/c~': 1 }, { a: 2, d: [] })).to.deep.equal([
      { op: 'replace', path: '/a', value: 2 },
      { op: 'remove', path: '/b~1c~0' },
      { op: 'add', path: '/d', value: [] },
    ]);
  });

  it('goes into lists of the same length and replaces others', () => {
    expect(jsonPatch({ l: [{ a: 1 }, 2], m: [1] }, { l: [{ a: 3 }, 2], m: [1, 2] })).to.deep.equal([
      { op: 'replace', path: '/l/0/a', value: 3 },
      { op: 'replace', path: '/m', value: [1, 2] },
    ]);
  });

  it('is empty for equal trees, whatever the order of their keys', () => {
    expect(jsonPatch({ a: 1, b: 2 }, { b: 2, a: 1 })).to.deep.equal([]);
  });
});
