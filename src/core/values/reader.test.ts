import { expect } from 'chai';
import { orNull, pullSecrets, readValues, unquoted } from './reader.ts';

describe('readValues', () => {
  const v = readValues({
    a: { text: 'x', number: 5, empty: '', list: [1], map: { b: 1 }, off: false, none: null },
  });

  it('reads values as they are, and null for what is not there', () => {
    expect([
      v.any('a', 'number'),
      v.any('a', 'none'),
      v.any('a', 'x', 'y'),
      v.any('a', 'text', 'length'),
    ]).to.deep.equal([5, null, null, null]);
  });

  it('reads text of everything', () => {
    expect([v.text('a', 'text'), v.text('a', 'number'), v.text('a', 'off'), v.text('x')]).to.deep.equal([
      'x',
      '5',
      'false',
      '',
    ]);
  });

  it('reads empty maps and lists where something else stands', () => {
    expect([v.map('a', 'map'), v.map('a', 'text'), v.list('a', 'list'), v.list('a', 'map')]).to.deep.equal([
      { b: 1 },
      {},
      [1],
      [],
    ]);
  });

  it('knows what is set', () => {
    expect([v.is('a', 'number'), v.is('a', 'empty'), v.is('a', 'off')]).to.deep.equal([true, false, false]);
    expect([v.whenSet('a', 'number'), v.whenSet('a', 'empty'), v.whenSet('x')]).to.deep.equal([
      5,
      null,
      null,
    ]);
  });
});

describe('unquoted', () => {
  it('reads numbers and booleans that are written as text', () => {
    expect(['2', '-1', '0.5', 'true', 'false'].map(unquoted)).to.deep.equal([2, -1, 0.5, true, false]);
  });

  it('keeps all other texts, and all other values', () => {
    const values = ['30m', '25%', '007', '1e3', '', 'yes', 5, null, ['2']];

    expect(values.map(unquoted)).to.deep.equal(values);
  });
});

describe('orNull', () => {
  it('turns what is empty into null', () => {
    expect([orNull({}), orNull([]), orNull(''), orNull({ a: 1 })]).to.deep.equal([
      null,
      null,
      null,
      { a: 1 },
    ]);
  });
});

describe('pullSecrets', () => {
  it('makes references of names', () => {
    expect([pullSecrets(['a', 'b']), pullSecrets([])]).to.deep.equal([[{ name: 'a' }, { name: 'b' }], null]);
  });
});
