import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonValue } from '../model/json.ts';
import { FINALIZER } from './finalizer.ts';
import { asksForALook, keyOfResource, refOfKey, revisionOf, storedStatus } from './resource.ts';
import { istioOperator } from './testing/builders.ts';
import type { ResourceParts } from './testing/builders.ts';

describe('storedStatus', () => {
  it('reads what the old operator wrote, about no generation', () => {
    const status = {
      status: 'HEALTHY',
      componentStatus: { Pilot: { status: 'HEALTHY', version: '1.23.6' } },
    };

    expect(storedStatus(istioOperator({ status }))).to.deep.equal({
      status: 'HEALTHY',
      message: '',
      observedGeneration: 0,
      componentStatus: { Pilot: { status: 'HEALTHY', version: '1.23.6' } },
      conditions: [],
      inventory: [],
    });
  });

  it('takes an empty status for none', () => {
    expect(storedStatus(istioOperator({ status: {} }))).to.equal(undefined);
  });

  it('is none where only the default of the definition is there', () => {
    const pending = {
      type: 'Ready',
      status: 'Unknown',
      lastTransitionTime: '1970-01-01T00:00:00Z',
      reason: 'Pending',
      message: 'No operator has looked at this resource yet.',
    };

    expect(storedStatus(istioOperator({ status: { conditions: [pending] } }))).to.equal(undefined);
  });

  it('survives whatever somebody wrote into the status', () => {
    const names = fc.constantFrom(
      'status',
      'message',
      'conditions',
      'inventory',
      'componentStatus',
      'observedGeneration',
      'kind',
      '__proto__',
    );
    const junk = fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true });
    fc.assert(
      fc.property(junk, (status) => {
        const read = storedStatus(istioOperator({ status: status as Record<string, JsonValue> }));

        for (const entry of read?.inventory ?? []) expect(entry.name).to.be.a('string');
        for (const condition of read?.conditions ?? []) expect(condition.reason).to.be.a('string');
      }),
    );
  });
});

describe('asksForALook', () => {
  const cases: readonly [string, ResourceParts, ResourceParts, boolean][] = [
    ['says yes to a new generation', {}, { generation: 2 }, true],
    ['says yes to a deletion', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }, true],
    ['says yes to a pause', {}, { annotations: { 'install.istio.io/ignoreReconcile': 'true' } }, true],
    [
      'says yes to a deletion policy',
      {},
      { annotations: { 'install.istio.io/deletion-policy': 'Orphan' } },
      true,
    ],
    ['says yes when our finalizer is removed', { finalizers: [FINALIZER] }, { finalizers: [] }, true],
    ['says yes when the status is removed', { status: { status: 'HEALTHY' } }, {}, true],
    ['says yes to another resource of the same name', {}, { uid: 'another' }, true],
    ['says no to our own status', {}, { status: { status: 'HEALTHY' } }, false],
    ['says no to our own finalizer', {}, { finalizers: [FINALIZER] }, false],
    [
      'says no to annotations of others',
      {},
      { annotations: { 'argocd.argoproj.io/tracking-id': 'a' } },
      false,
    ],
  ];
  for (const [behaviour, old, now, answer] of cases) {
    it(behaviour, () => {
      expect(asksForALook(istioOperator(old), istioOperator({ ...now, resourceVersion: '2' }))).to.equal(
        answer,
      );
    });
  }
});

describe('revisionOf', () => {
  it('knows the default revision by either spelling', () => {
    const revisions = [{}, { revision: 'default' }, { revision: 'canary' }].map((spec) =>
      revisionOf(istioOperator({ spec })),
    );

    expect(revisions).to.deep.equal(['', '', 'canary']);
  });
});

describe('refOfKey', () => {
  it('leads back to the resource', () => {
    expect(refOfKey(keyOfResource(istioOperator()))).to.deep.equal({
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      namespace: 'istio-system',
      name: 'demo',
    });
  });
});
