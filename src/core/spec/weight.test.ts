import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { weightOf } from './weight.ts';

function gateways(count: number): JsonObject {
  return {
    components: { ingressGateways: Array.from({ length: count }, (_, index) => ({ name: `g${index}` })) },
  };
}

function wide(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, index]));
}

describe('weightOf', () => {
  const cases: readonly (readonly [string, JsonObject, 'light' | 'heavy'])[] = [
    ['takes an empty specification lightly', {}, 'light'],
    ['takes eight gateways lightly', gateways(8), 'light'],
    ['minds many gateways', gateways(9), 'heavy'],
    ['takes what people write by hand lightly', { values: { pilot: { env: wide(300) } } }, 'light'],
    ['minds many values', { values: wide(400) }, 'heavy'],
    ['minds a long text', { hub: 'x'.repeat(40_000) }, 'heavy'],
    ['minds a long key', { values: { ['x'.repeat(40_000)]: 1 } }, 'heavy'],
    ['minds many small lists', { values: { lists: Array.from({ length: 200 }, () => [1, 2]) } }, 'heavy'],
  ];
  for (const [behaviour, spec, weight] of cases) {
    it(behaviour, () => {
      expect(weightOf(spec)).to.equal(weight);
    });
  }
});
