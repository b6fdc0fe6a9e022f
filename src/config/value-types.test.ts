import { expect } from 'chai';
import type { ValueType } from './value-types.ts';
import {
  DURATION_MS,
  HOST,
  NAMESPACES,
  OPTIONAL_NAME,
  OPTIONAL_TEXT,
  choice,
  wholeNumber,
} from './value-types.ts';

interface Case {
  readonly type: ValueType<unknown>;
  readonly text: string;
  readonly value: unknown;
}

const READABLE: readonly Case[] = [
  { type: DURATION_MS, text: '300s', value: 300_000 },
  { type: DURATION_MS, text: '1h30m', value: 5_400_000 },
  { type: DURATION_MS, text: '1.5s', value: 1_500 },
  { type: DURATION_MS, text: '250ms', value: 250 },
  { type: NAMESPACES, text: '', value: [] },
  { type: NAMESPACES, text: 'a, b,a', value: ['a', 'b'] },
  { type: OPTIONAL_NAME, text: '', value: '' },
  { type: OPTIONAL_NAME, text: 'canary-1', value: 'canary-1' },
  { type: OPTIONAL_TEXT, text: '', value: undefined },
  { type: OPTIONAL_TEXT, text: '/a b', value: '/a b' },
  { type: wholeNumber(0, 65_535), text: '8383', value: 8_383 },
  { type: choice(['a', 'b']), text: 'b', value: 'b' },
  { type: HOST, text: '::1', value: '::1' },
  { type: HOST, text: '0.0.0.0', value: '0.0.0.0' },
];

const UNREADABLE: readonly (readonly [ValueType<unknown>, string])[] = [
  [DURATION_MS, ''],
  [DURATION_MS, '300'],
  [DURATION_MS, '-5s'],
  [DURATION_MS, '0s'],
  [DURATION_MS, '5 s'],
  [DURATION_MS, '5x'],
  [NAMESPACES, 'a,,b'],
  [NAMESPACES, 'Not_A_Name'],
  [OPTIONAL_NAME, 'UPPER'],
  [OPTIONAL_NAME, '-a'],
  [wholeNumber(1, 64), '0'],
  [wholeNumber(1, 64), '65'],
  [wholeNumber(1, 64), '1.5'],
  [wholeNumber(1, 64), '0x10'],
  [wholeNumber(1, 64), ''],
  [choice(['a', 'b']), 'c'],
  [choice(['a', 'b']), 'toString'],
  [HOST, ''],
  [HOST, 'a b'],
];

describe('value types', () => {
  for (const { type, text, value } of READABLE) {
    it(`reads ${type.placeholder} from ${JSON.stringify(text)}`, () => {
      expect(type.parse(text)).to.deep.equal({ kind: 'value', value });
    });
  }

  for (const [type, text] of UNREADABLE) {
    it(`does not read ${type.placeholder} from ${JSON.stringify(text)}`, () => {
      expect(type.parse(text).kind).to.equal('unreadable');
    });
  }
});
