import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { isOurs, labelledOwner } from './claim.ts';
import { object, OWNER } from './testing/objects.ts';

const ENTRY = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'istio-system', name: 'istio', uid: 'u1' };
const { uid: _uid, ...UNKNOWN_UID } = ENTRY;

function live(uid: string, owner: { readonly name?: string; readonly namespace?: string }): K8sObject {
  const labels = {
    ...(owner.name === undefined ? {} : { 'install.operator.istio.io/owning-resource': owner.name }),
    ...(owner.namespace === undefined
      ? {}
      : { 'install.operator.istio.io/owning-resource-namespace': owner.namespace }),
  };
  return {
    ...object('ConfigMap', 'istio'),
    metadata: { name: 'istio', uid, labels, managedFields: [APPLIED] },
  };
}

const APPLIED = {
  manager: 'istio-operator',
  operation: 'Apply',
  apiVersion: 'v1',
  fieldsV1: { 'f:data': {} },
};

function neverApplied(ours: K8sObject): K8sObject {
  return { ...ours, metadata: { ...ours.metadata, managedFields: [{ ...APPLIED, manager: 'helm' }] } };
}

describe('isOurs', () => {
  it('says yes to what is labelled as ours, under any uid', () => {
    expect(isOurs(live('u1', OWNER), ENTRY, OWNER)).to.equal(true);
    expect(isOurs(live('u2', OWNER), ENTRY, OWNER)).to.equal(true);
    expect(isOurs(live('u2', OWNER), UNKNOWN_UID, OWNER)).to.equal(true);
  });

  it("says no to what is labelled as another one's, also under our uid", () => {
    expect(isOurs(live('u1', { ...OWNER, name: 'other' }), ENTRY, OWNER)).to.equal(false);
    expect(isOurs(live('u1', { ...OWNER, namespace: 'other' }), ENTRY, OWNER)).to.equal(false);
  });

  it('goes by the name when no namespace is labelled', () => {
    expect(isOurs(live('u1', { name: OWNER.name }), ENTRY, OWNER)).to.equal(true);
  });

  for (const [what, owner] of [
    ['without labels', {}],
    ['of a chart without an owner', { name: 'unknown' }],
  ] as const) {
    it(`goes by the uid ${what}`, () => {
      expect(isOurs(live('u1', owner), ENTRY, OWNER)).to.equal(true);
      expect(isOurs(live('u2', owner), ENTRY, OWNER)).to.equal(false);
      expect(isOurs(live('u1', owner), UNKNOWN_UID, OWNER)).to.equal(false);
    });

    it(`does not believe an inventory that names what was never applied, ${what}`, () => {
      expect(isOurs(neverApplied(live('u1', owner)), ENTRY, OWNER)).to.equal(false);
    });
  }

  it('does not take two unknown uids for the same', () => {
    const { uid: _, ...metadata } = live('', {}).metadata;

    expect(isOurs({ ...live('', {}), metadata }, UNKNOWN_UID, OWNER)).to.equal(false);
  });

  it('goes by the uid when it is not known who we are', () => {
    expect(isOurs(live('u1', { name: 'other' }), ENTRY, undefined)).to.equal(true);
    expect(isOurs(live('u2', OWNER), ENTRY, undefined)).to.equal(false);
  });
});

describe('labelledOwner', () => {
  it('reads name and namespace', () => {
    expect(labelledOwner(live('u1', OWNER))).to.deep.equal(OWNER);
    expect(labelledOwner(live('u1', { name: 'demo' }))).to.deep.equal({ name: 'demo' });
    expect(labelledOwner(live('u1', {}))).to.equal(undefined);
  });
});
