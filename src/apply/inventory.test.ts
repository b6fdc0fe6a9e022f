import { expect } from 'chai';
import type { InventoryEntry } from '../model/status.ts';
import { additions, common, entriesFor, readInventory, union, withoutUid } from './inventory.ts';
import { configMap, object } from './testing/objects.ts';

const entry = (name: string, uid?: string, apiVersion = 'v1'): InventoryEntry => ({
  apiVersion,
  kind: 'ConfigMap',
  namespace: 'istio-system',
  name,
  ...(uid === undefined ? {} : { uid }),
});

describe('entriesFor', () => {
  it('leaves out what is never deleted', () => {
    const objects = [
      configMap('a'),
      object('CustomResourceDefinition', 'x'),
      object('Namespace', 'y'),
      object('Secret', 'cacerts'),
      object('Secret', 'other'),
    ];

    expect(entriesFor(objects).map(({ name }) => name)).to.deep.equal(['a', 'other']);
  });
});

describe('union', () => {
  it('has each object once, as the last list knows it, in a stable order', () => {
    expect(union([entry('b', '1'), entry('c')], [entry('a'), entry('b', '2')])).to.deep.equal([
      entry('a'),
      entry('b', '2'),
      entry('c'),
    ]);
  });

  it('takes two versions of an API for the same', () => {
    expect(union([entry('a', '1', 'x/v1beta1')], [entry('a', '1', 'x/v1')])).to.deep.equal([
      entry('a', '1', 'x/v1'),
    ]);
  });
});

describe('additions and common', () => {
  const previous = [entry('a', '1'), entry('b', '2')];
  const next = [entry('b'), entry('c')];

  it('tell what is new, what is surplus and what stays, with the uids that are known', () => {
    expect(additions(previous, next)).to.deep.equal([entry('c')]);
    expect(additions(next, previous)).to.deep.equal([entry('a', '1')]);
    expect(common(previous, next)).to.deep.equal([entry('b', '2')]);
  });
});

describe('withoutUid', () => {
  it('gives the plain reference', () => {
    expect(withoutUid(entry('a', '1'))).to.deep.equal(entry('a'));
  });
});

describe('readInventory', () => {
  it('reads entries as we write them', () => {
    const cluster = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'istiod' };
    const stored = [{ ...entry('a', '1') }, { ...entry('b') }, cluster];

    expect(readInventory(stored)).to.deep.equal(stored);
  });

  it('leaves out what somebody else wrote there', () => {
    const fine = { ...entry('a', '1') };
    const odd = [
      { ...fine, apiVersion: 1 },
      { ...fine, kind: null },
      { ...fine, name: {} },
      { ...fine, namespace: 7 },
      { ...fine, uid: false },
      { kind: 'ConfigMap', name: 'a' },
      'text',
      null,
    ];

    expect(readInventory([...odd, fine])).to.deep.equal([fine]);
  });

  it('is empty when nothing is stored, or no list', () => {
    expect([readInventory(undefined), readInventory({ a: 1 })]).to.deep.equal([[], []]);
  });
});
