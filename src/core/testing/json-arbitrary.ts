/** Generators of JSON for property tests. */
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isMergeableKey } from '../merge.ts';

/** Few keys, so that generated trees overlap; some that look like list indexes or need quotes. */
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '0', 'x y', 'a.b'),
  fc.string({ maxLength: 3 }).filter(isMergeableKey),
);

const { tree, map } = fc.letrec<{ readonly tree: JsonValue; readonly map: JsonObject }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<JsonValue>(null, true, false, 0, -1, 1.5, '', 'text'),
    tie('map'),
    fc.array(tie('tree'), { maxLength: 3 }),
  ),
  map: fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
}));

/** Any JSON value. */
export const jsonTree: fc.Arbitrary<JsonValue> = tree;

/** Any JSON map. */
export const jsonMap: fc.Arbitrary<JsonObject> = map;

/** Maps of maps and scalars: no lists, no null. */
export const plainMap: fc.Arbitrary<JsonObject> = fc.letrec<{ readonly map: JsonObject }>((tie) => ({
  map: fc.dictionary(key, fc.oneof({ depthSize: 'small' }, fc.constantFrom(true, 0, 'text'), tie('map')), {
    maxKeys: 4,
  }),
})).map;

/** The same tree with the entries of its maps in another order. */
export function permuted(value: JsonValue): fc.Arbitrary<JsonValue> {
  return fc.infiniteStream(fc.nat()).map((stream) => shuffled(value, stream));
}

function shuffled(value: JsonValue, stream: Iterator<number>): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => shuffled(item, stream));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, entry]) => ({
    rank: Number(stream.next().value),
    entry: [name, shuffled(entry, stream)] as const,
  }));
  return Object.fromEntries(entries.toSorted((a, b) => a.rank - b.rank).map(({ entry }) => entry));
}
