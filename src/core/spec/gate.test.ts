import { expect } from 'chai';
import fc from 'fast-check';
import { jsonTree } from '../testing/json-arbitrary.ts';
import type { JsonValue } from '../../model/json.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import { gate, MAX_DEPTH, MAX_NODES } from './gate.ts';

function refusal(spec: unknown): string | undefined {
  const gated = gate(spec);
  return gated.kind === 'refused' ? printDiagnostic(gated.diagnostic) : undefined;
}

/** A tree of maps in which the innermost value stands that many steps below `spec`. */
function nested(depth: number): JsonValue {
  return depth === 0 ? 'x' : { a: nested(depth - 1) };
}

describe('gate', () => {
  it('lets maps of plain JSON pass as they are', () => {
    const spec = { a: [1, 'x', null, true, { b: -0.5 }] };

    const gated = gate(spec);

    expect(gated).to.deep.equal({ kind: 'passed', spec });
  });

  it('takes nothing for an empty specification', () => {
    expect([gate(undefined), gate(null)]).to.deep.equal([
      { kind: 'passed', spec: {} },
      { kind: 'passed', spec: {} },
    ]);
  });

  it('refuses what is no map', () => {
    const refusals = [[], 'text', 5].map(refusal);

    expect(refusals).to.deep.equal(
      refusals.map(() => 'IOP202 spec: spec is not a map. Write fields under spec.'),
    );
  });

  it('refuses what JSON cannot say', () => {
    const values = [Number.NaN, Infinity, undefined, 1n, () => 1, Symbol('a')];

    expect(values.map((value) => refusal({ a: [value] }))).to.deep.equal(
      values.map(
        () => 'IOP202 spec.a[0]: the value is not JSON. Use text, numbers, booleans, lists and maps.',
      ),
    );
  });

  it('refuses keys that every object inherits', () => {
    const spec: unknown = JSON.parse('{"a": {"__proto__": {"x": 1}}}');

    expect(refusal(spec)).to.equal(
      'IOP102 spec.a.__proto__: the key "__proto__" is not allowed. Remove the key.',
    );
    expect(refusal({ labels: { toString: 'x' } })).to.equal(
      'IOP102 spec.labels.toString: the key "toString" is not allowed. Remove the key.',
    );
  });

  it('refuses what is too deep, and names where', () => {
    expect(refusal(nested(MAX_DEPTH - 1))).to.equal(undefined);
    expect(refusal(nested(MAX_DEPTH))).to.equal(
      'IOP103 spec.a.a.a: it is nested deeper than 100 levels. Split the resource, or remove what does not belong there.',
    );
  });

  it('refuses a tree that is far deeper than the stack, or never ends', () => {
    const endless: { self?: unknown } = {};
    endless.self = endless;
    let deep: unknown = {};
    for (let level = 0; level < 100_000; level += 1) deep = [deep];

    expect([refusal(endless), refusal({ deep })].map((text) => text?.slice(0, 6))).to.deep.equal([
      'IOP103',
      'IOP103',
    ]);
  });

  it('counts all values of wide trees', () => {
    const wide = (length: number): string | undefined => refusal({ list: Array.from({ length }, () => 1) });

    expect(wide(MAX_NODES - 2)).to.equal(undefined);
    expect(wide(MAX_NODES - 1)).to.equal(
      'IOP103 spec: it has more than 20000 values. Split the resource, or remove what does not belong there.',
    );
  });

  it('lets all JSON of bearable size pass', () => {
    fc.assert(
      fc.property(jsonTree, (tree) => {
        expect(gate({ tree }).kind).to.equal('passed');
      }),
    );
  });
});
