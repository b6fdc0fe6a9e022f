import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonObject } from '../model/json.ts';
import { byEntry, isMergeableKey, mergeEntries, overlay, overlayAll } from './merge.ts';
import { jsonMap, plainMap } from './testing/json-arbitrary.ts';

const sameName = (lower: JsonObject, upper: JsonObject): boolean => lower['name'] === upper['name'];
const sameNameAndZone = (lower: JsonObject, upper: JsonObject): boolean =>
  sameName(lower, upper) && lower['zone'] === upper['zone'];

describe('overlay', () => {
  it('merges maps by key', () => {
    const merged = overlay({ a: { b: 1, c: 2 }, d: 3 }, { a: { c: 4, e: 5 }, f: 6 });

    expect(merged).to.deep.equal({ a: { b: 1, c: 4, e: 5 }, d: 3, f: 6 });
  });

  it('replaces lists as a whole, also by an empty one', () => {
    const merged = overlay({ long: [1, 2, 3], filled: [{ a: 1 }] }, { long: [4], filled: [] });

    expect(merged).to.deep.equal({ long: [4], filled: [] });
  });

  it('keeps null as a value that replaces', () => {
    const merged = overlay({ map: { a: 1 }, list: [1], text: 'x' }, { map: null, list: null, text: null });

    expect(merged).to.deep.equal({ map: null, list: null, text: null });
  });

  it('replaces what is of another shape', () => {
    const merged = overlay(
      { a: { b: 1 }, c: 'text', d: [1], e: null },
      { a: 1, c: { f: 2 }, d: {}, e: { g: 3 } },
    );

    expect(merged).to.deep.equal({ a: 1, c: { f: 2 }, d: {}, e: { g: 3 } });
  });

  it('does not take false, 0 and the empty text for absent', () => {
    const merged = overlay({ a: true, b: 1, c: 'x' }, { a: false, b: 0, c: '' });

    expect(merged).to.deep.equal({ a: false, b: 0, c: '' });
  });

  it('merges a key at the top in its own way, and the same key below as usual', () => {
    const merged = overlay(
      { n: 1, deep: { n: { a: 1 } } },
      { n: 2, deep: { n: { b: 2 } } },
      { n: () => 'own' },
    );

    expect(merged).to.deep.equal({ n: 2, deep: { n: { a: 1, b: 2 } } });
    expect(overlay({ n: [1] }, { n: [2] }, { n: () => 'own' })).to.deep.equal({ n: 'own' });
  });

  it('changes neither side', () => {
    fc.assert(
      fc.property(jsonMap, jsonMap, (lower, upper) => {
        const before = structuredClone([lower, upper]);

        overlay(lower, upper);

        expect([lower, upper]).to.deep.equal(before);
      }),
    );
  });

  it('has the empty map as its neutral element, and laying a map over itself changes nothing', () => {
    fc.assert(
      fc.property(jsonMap, (map) => {
        expect(overlay(map, {})).to.deep.equal(map);
        expect(overlay({}, map)).to.deep.equal(map);
        expect(overlay(map, map)).to.deep.equal(map);
      }),
    );
  });

  it('lets the upper side win wherever it says something', () => {
    fc.assert(
      fc.property(jsonMap, jsonMap, (lower, upper) => {
        expect(overlay(overlay(lower, upper), upper)).to.deep.equal(overlay(lower, upper));
        expect(Object.keys(overlay(lower, upper))).to.have.members([
          ...new Set([...Object.keys(lower), ...Object.keys(upper)]),
        ]);
      }),
    );
  });

  it('gives the same whichever of three layers of maps is merged first, if no value stands against a map', () => {
    const shape = { a: { b: 1, c: { d: 2 } }, e: 3 };
    fc.assert(
      fc.property(plainMap, plainMap, plainMap, (x, y, z) => {
        const [low, middle, high] = [x, y, z].map((map) => overlay(shape, { free: map }));
        const layers = [low ?? {}, middle ?? {}, high ?? {}] as const;
        fc.pre(!mixesShapes(layers));

        const left = overlay(overlay(layers[0], layers[1]), layers[2]);
        const right = overlay(layers[0], overlay(layers[1], layers[2]));

        expect(left).to.deep.equal(right);
      }),
    );
  });
});

/** Whether some path is a map in one layer and something else in another; there the order of merging does matter. */
function mixesShapes(layers: readonly JsonObject[]): boolean {
  const shapes = new Map<string, string>();
  const visit = (map: JsonObject, path: string): boolean =>
    Object.entries(map).some(([name, value]) => {
      const place = `${path}/${JSON.stringify(name)}`;
      const shape = typeof value === 'object' ? 'map' : 'scalar';
      const known = shapes.get(place) ?? shape;
      shapes.set(place, known);
      return known !== shape || (shape === 'map' && visit(value as JsonObject, place));
    });
  return layers.some((layer) => visit(layer, ''));
}

describe('overlayAll', () => {
  it('lays layers over each other, weakest first', () => {
    expect(overlayAll([{ a: 1, b: 1 }, { a: 2 }, { c: 3 }])).to.deep.equal({ a: 2, b: 1, c: 3 });
    expect(overlayAll([])).to.deep.equal({});
  });
});

describe('mergeEntries', () => {
  it('merges what a rule recognises in place, and appends the rest in order', () => {
    const lower = [
      { name: 'a', x: 1 },
      { name: 'b', x: 1 },
    ];
    const upper = [{ name: 'd' }, { name: 'b', y: 2 }, { name: 'c' }];

    const merged = mergeEntries(lower, upper, [sameName]);

    expect(merged).to.deep.equal([
      { name: 'a', x: 1 },
      { name: 'b', x: 1, y: 2 },
      { name: 'd' },
      { name: 'c' },
    ]);
  });

  it('merges each entry once', () => {
    const merged = mergeEntries(
      [{ name: 'a', x: 1 }],
      [
        { name: 'a', y: 1 },
        { name: 'a', y: 2 },
      ],
      [sameName],
    );

    expect(merged).to.deep.equal([
      { name: 'a', x: 1, y: 1 },
      { name: 'a', y: 2 },
    ]);
  });

  it('prefers the entry that a stronger rule recognises', () => {
    const lower = [{ name: 'a' }, { name: 'a', zone: 'z' }];
    const upper = [
      { name: 'a', on: true },
      { name: 'a', zone: 'z', on: false },
    ];

    const merged = mergeEntries(lower, upper.toReversed(), [sameNameAndZone, sameName]);

    expect(merged).to.deep.equal([
      { name: 'a', on: true },
      { name: 'a', zone: 'z', on: false },
    ]);
  });

  it('appends what is no map', () => {
    expect(mergeEntries(['a', null], ['a', null], [() => true])).to.deep.equal(['a', null, 'a', null]);
  });
});

describe('byEntry', () => {
  it('replaces when one side is no list', () => {
    const merge = byEntry(sameName);

    expect(merge([{ name: 'a' }], { name: 'a' })).to.deep.equal({ name: 'a' });
    expect(merge('x', [{ name: 'a' }])).to.deep.equal([{ name: 'a' }]);
  });
});

describe('isMergeableKey', () => {
  it('refuses exactly the keys that merging would lose', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        const kept = Object.hasOwn(overlay({}, { [key]: 1 }), key);

        expect(isMergeableKey(key)).to.equal(kept);
      }),
      { examples: [['toString'], ['__proto__'], ['constructor'], ['valueOf'], ['prototype'], ['']] },
    );
  });
});
