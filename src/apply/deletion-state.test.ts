import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { deletionOf, isBeingDeleted, whyNotGone } from './deletion-state.ts';

const { signal } = new AbortController();
const DELETED = { deletionTimestamp: '2026-11-30T09:00:00Z' };

function live(metadata: JsonObject): K8sObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata } };
}

describe('deletionOf', () => {
  it('deletes what was read, and under its uid alone', () => {
    expect(deletionOf(live({ uid: 'u1' }), signal)).to.deep.equal({ signal, uid: 'u1' });
  });

  it('names no uid when none is known', () => {
    expect(deletionOf(live({}), signal)).to.deep.equal({ signal });
  });
});

describe('isBeingDeleted', () => {
  it('goes by the time of deletion', () => {
    expect([isBeingDeleted(live(DELETED)), isBeingDeleted(live({}))]).to.deep.equal([true, false]);
  });
});

describe('whyNotGone', () => {
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{}, 'it is still there'],
    [{ finalizers: ['example.com/x'] }, 'it is still there'],
    [DELETED, 'it is being deleted'],
    [{ ...DELETED, finalizers: [7] }, 'it is being deleted'],
    [
      { ...DELETED, finalizers: ['example.com/x', 7] },
      'it is being deleted and waits for the finalizer example.com/x',
    ],
    [
      { ...DELETED, finalizers: ['example.com/x', 'example.com/y'] },
      'it is being deleted and waits for the finalizers example.com/x, example.com/y',
    ],
  ];
  for (const [metadata, reason] of cases)
    it(`says "${reason}" of ${JSON.stringify(metadata)}`, () => {
      expect(whyNotGone(live(metadata))).to.equal(reason);
    });
});
