import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { createKnownEqual, pairOf, sameContent } from './known-equal.ts';
import { configMap, object } from './testing/objects.ts';

describe('createKnownEqual', () => {
  it('knows what was added', () => {
    const known = createKnownEqual();
    known.add('a');

    expect([known.has('a'), known.has('b')]).to.deep.equal([true, false]);
  });

  it('forgets the oldest when it is full, and counts what is added again as new', () => {
    const known = createKnownEqual(2);

    for (const pair of ['a', 'b', 'a', 'c']) known.add(pair);

    expect(['a', 'b', 'c'].filter((pair) => known.has(pair))).to.deep.equal(['a', 'c']);
  });
});

const ENTRY = { manager: 'x', operation: 'Apply', time: '1', fieldsV1: { 'f:data': {} } };
const STATUS_ENTRY = { manager: 'y', operation: 'Update', subresource: 'status', time: '1' };

function live(metadata: JsonObject = {}, more: JsonObject = {}): K8sObject {
  const all = {
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    managedFields: [ENTRY, STATUS_ENTRY],
    ...metadata,
  };
  return object('ConfigMap', 'istio', { data: { a: '1', b: '2' }, ...more, metadata: all });
}

describe('sameContent', () => {
  for (const [what, other] of [
    ['versions', live({ resourceVersion: '2', generation: 2 })],
    ['times of managers', live({ managedFields: [{ ...ENTRY, time: '2' }, STATUS_ENTRY] })],
    ['managers of the status', live({ managedFields: [ENTRY] })],
    ['the order of managers', live({ managedFields: [STATUS_ENTRY, ENTRY] })],
    ['the order of keys', live({}, { data: { b: '2', a: '1' } })],
    ['the status', live({}, { status: { a: 1 } })],
  ] as const) {
    it(`ignores ${what}`, () => {
      expect(sameContent(live(), other)).to.equal(true);
      expect(pairOf(configMap('istio'), live())).to.equal(pairOf(configMap('istio'), other));
    });
  }

  for (const [what, other] of [
    ['the content', live({}, { data: { a: '1', b: '3' } })],
    ['the uid', live({ uid: 'v' })],
    ['labels', live({ labels: { a: 'b' } })],
    ['owned fields', live({ managedFields: [{ ...ENTRY, fieldsV1: { 'f:other': {} } }, STATUS_ENTRY] })],
  ] as const) {
    it(`notices a change of ${what}`, () => {
      expect(sameContent(live(), other)).to.equal(false);
      expect(pairOf(configMap('istio'), live())).not.to.equal(pairOf(configMap('istio'), other));
    });
  }
});

describe('pairOf', () => {
  it('is another name when something else is wanted', () => {
    expect(pairOf(configMap('istio', { a: '1' }), live())).not.to.equal(
      pairOf(configMap('istio', { a: '2' }), live()),
    );
  });
});
