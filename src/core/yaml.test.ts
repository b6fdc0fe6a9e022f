import { expect } from 'chai';
import fc from 'fast-check';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { jsonTree } from './testing/json-arbitrary.ts';
import { printGoYaml, printYaml, readYaml } from './yaml.ts';

describe('printYaml', () => {
  it('prints texts so that a reader of YAML 1.1 does not take them for something else', () => {
    const texts = ['yes', 'no', 'on', 'off', '0777', '1_000', '1e3', 'null', '~', '2001-01-01', 'a: b', ''];

    expect(load(printYaml(texts), { schema: YAML11_SCHEMA })).to.deep.equal(texts);
  });

  it('keeps the order of keys and long lines in one piece', () => {
    expect(printYaml({ b: 'x'.repeat(200), a: [1, { c: null }] })).to.equal(
      `b: ${'x'.repeat(200)}\na:\n  - 1\n  - c: null\n`,
    );
  });

  it('repeats what occurs twice instead of using anchors', () => {
    const shared = { x: 1 };

    expect(printYaml({ a: shared, b: shared })).to.equal('a:\n  x: 1\nb:\n  x: 1\n');
  });
});

describe('readYaml', () => {
  it('reads what printYaml and printGoYaml print', () => {
    fc.assert(
      fc.property(jsonTree, (tree) => {
        expect(readYaml(printYaml(tree))).to.deep.equal(tree);
        expect(readYaml(printGoYaml(tree))).to.deep.equal(tree);
      }),
    );
  });
});

describe('readYaml, given aliases', () => {
  /** Each level stands for the one before it that many times. */
  function nested(levels: number, times: number): string {
    const lines = Array.from({ length: levels }, (_, level) => {
      const items = Array.from({ length: times }, () => (level === 0 ? 'x' : `*a${level - 1}`));
      return `a${level}: &a${level} [${items.join(',')}]`;
    });
    return lines.join('\n');
  }

  it('writes out what they stand for', () => {
    expect(readYaml(nested(2, 2))).to.deep.equal({
      a0: ['x', 'x'],
      a1: [
        ['x', 'x'],
        ['x', 'x'],
      ],
    });
  });

  it('refuses those that stand for more than anybody writes, and too many of them', () => {
    expect(() => readYaml(nested(12, 9))).to.throw('its aliases stand for more than 100000 values');
    expect(() => readYaml(nested(13, 10))).to.throw('maxAliases');
  });
});

describe('printGoYaml', () => {
  it('sorts keys and does not indent lists', () => {
    expect(printGoYaml({ b: [{ d: 1, c: 2 }], a: {}, e: [] })).to.equal('a: {}\nb:\n- c: 2\n  d: 1\ne: []\n');
  });
});
