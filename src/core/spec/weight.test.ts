import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { weightOf } from './weight.ts';

function gateways(ingress: number, egress = 0): JsonObject {
  const named = (count: number): JsonObject[] =>
    Array.from({ length: count }, (_, index) => ({ name: `g${index}` }));
  return { components: { ingressGateways: named(ingress), egressGateways: named(egress) } };
}

function wide(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, index]));
}

describe('weightOf', () => {
  const cases: readonly (readonly [string, JsonObject, 'light' | 'heavy'])[] = [
    ['takes an empty specification lightly', {}, 'light'],
    ['takes eight gateways lightly', gateways(8), 'light'],
    ['minds many gateways', gateways(9), 'heavy'],
    ['counts gateways of both directions together', gateways(5, 4), 'heavy'],
    ['takes what people write by hand lightly', { values: { pilot: { env: wide(300) } } }, 'light'],
    ['takes 400 values lightly, the maps among them', { values: wide(398) }, 'light'],
    ['minds one value more', { values: wide(399) }, 'heavy'],
    ['minds a list that is too long to be walked through', { list: Array(200_000).fill(1) }, 'heavy'],
    ['takes 32768 characters lightly, keys included', { a: 'x'.repeat(32_766), b: '' }, 'light'],
    ['minds one character more', { a: 'x'.repeat(32_766), b: 'x' }, 'heavy'],
    ['minds a long key', { values: { ['x'.repeat(40_000)]: 1 } }, 'heavy'],
    ['minds many small lists', { values: { lists: Array.from({ length: 200 }, () => [1, 2]) } }, 'heavy'],
  ];
  for (const [behaviour, spec, weight] of cases) {
    it(behaviour, () => {
      expect(weightOf(spec)).to.equal(weight);
    });
  }
});
