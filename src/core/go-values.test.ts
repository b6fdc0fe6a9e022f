import { expect } from 'chai';
import fc from 'fast-check';
import { firstTruthy, sortedEntries, textMap, textOf, truthy, withSortedKeys } from './go-values.ts';
import { jsonTree, permuted } from './testing/json-arbitrary.ts';

describe('truthy', () => {
  it('is false for everything that Helm takes for empty', () => {
    const empty = [undefined, null, false, 0, '', [], {}];

    expect(empty.map(truthy)).to.deep.equal(empty.map(() => false));
  });

  it('is true for everything else', () => {
    const filled = [true, 1, -1, 'false', '0', ' ', [0], [null], { a: null }];

    expect(filled.map(truthy)).to.deep.equal(filled.map(() => true));
  });
});

describe('firstTruthy', () => {
  it('skips empty values', () => {
    expect(firstTruthy(undefined, null, '', 0, false, [], {}, 'x', 'y')).to.equal('x');
  });

  it('is undefined when all are empty', () => {
    expect(firstTruthy('', undefined)).to.equal(undefined);
  });
});

describe('textOf', () => {
  it('prints values as they read inside a text', () => {
    const printed = [undefined, null, 'x', true, 1.0, 0.5, 2_000_000, ['a', 1], { a: 'b' }].map((value) =>
      textOf(value),
    );

    expect(printed).to.deep.equal(['', '', 'x', 'true', '1', '0.5', '2000000', '["a",1]', '{"a":"b"}']);
  });
});

describe('textMap', () => {
  it('has texts for all values, in the order of the keys', () => {
    expect(Object.entries(textMap({ b: 1, a: true, c: null }))).to.deep.equal([
      ['a', 'true'],
      ['b', '1'],
      ['c', ''],
    ]);
  });
});

describe('sortedEntries', () => {
  it('puts capitals before small letters, and digits before both', () => {
    expect(sortedEntries({ b: 1, a: 2, B: 3, '1': 4, a1: 5 }).map(([key]) => key)).to.deep.equal([
      '1',
      'B',
      'a',
      'a1',
      'b',
    ]);
  });
});

describe('withSortedKeys', () => {
  it('keeps the tree and the order of lists', () => {
    fc.assert(
      fc.property(jsonTree, (tree) => {
        expect(withSortedKeys(tree)).to.deep.equal(tree);
      }),
    );
  });

  it('prints the same whatever the order of the keys was', () => {
    const pair = jsonTree.chain((tree) => fc.tuple(fc.constant(tree), permuted(tree)));
    fc.assert(
      fc.property(pair, ([tree, other]) => {
        expect(JSON.stringify(withSortedKeys(other))).to.equal(JSON.stringify(withSortedKeys(tree)));
      }),
    );
  });
});
