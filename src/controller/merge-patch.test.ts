import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { mergePatchBetween } from './merge-patch.ts';
import { applyMergePatch } from './testing/in-memory-cluster.ts';

const { tree } = fc.letrec<{ tree: JsonValue; map: JsonObject }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<JsonValue>('', 'a', 0, 1, true, false),
    fc.array(tie('tree'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
}));
const maps = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tree, { noNullPrototype: true });

describe('mergePatchBetween', () => {
  it('gives a patch that turns any map into any other', () => {
    fc.assert(
      fc.property(maps, maps, (from, to) => {
        expect(applyMergePatch(from, mergePatchBetween(from, to) ?? {})).to.deep.equal(to);
      }),
    );
  });

  it('gives none for equal maps, in whatever order their keys are', () => {
    expect(mergePatchBetween({ a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 })).to.equal(undefined);
  });

  it('names only what differs, and removes keys by null', () => {
    const from = {
      status: 'ERROR',
      components: { Pilot: { status: 'ERROR', error: 'no' }, Cni: { status: 'HEALTHY' } },
    };
    const to = { status: 'HEALTHY', components: { Pilot: { status: 'HEALTHY' } } };

    const patch = mergePatchBetween(from, to);

    expect(patch).to.deep.equal({
      status: 'HEALTHY',
      components: { Cni: null, Pilot: { status: 'HEALTHY', error: null } },
    });
  });
});
