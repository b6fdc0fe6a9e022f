import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { ownersConcerned } from './drift.ts';
import { GATEWAY, NAMESPACE, owned } from './testing/builders.ts';

const DEMO = [`${NAMESPACE}/demo`];

function deployment(available: number, more: JsonObject = {}): K8sObject {
  const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: available };
  return owned('Deployment', 'istiod', { spec: { replicas: 2 }, status, ...more });
}

function withMetadata(object: K8sObject, metadata: JsonObject): K8sObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

function updated(old: K8sObject, object: K8sObject): readonly string[] {
  return ownersConcerned({ type: 'updated', old, object });
}

describe('ownersConcerned', () => {
  it('names the owner of an object that was deleted or added', () => {
    expect(ownersConcerned({ type: 'deleted', object: GATEWAY })).to.deep.equal(DEMO);
    expect(ownersConcerned({ type: 'added', object: GATEWAY })).to.deep.equal(DEMO);
  });

  it('names nobody for an object without owner', () => {
    const stray = { ...GATEWAY, metadata: { name: 'stray' } };

    expect(ownersConcerned({ type: 'deleted', object: stray })).to.deep.equal([]);
  });

  it('names the owner when something in the object was edited', () => {
    expect(updated(deployment(2), deployment(2, { spec: { replicas: 3 } }))).to.deep.equal(DEMO);
  });

  it('names the owner when annotations were edited', () => {
    const object = deployment(2);

    expect(updated(object, withMetadata(object, { annotations: { a: 'b' } }))).to.deep.equal(DEMO);
  });

  it('names both owners when the label that tells them was edited', () => {
    const object = deployment(2);
    const labels = {
      ...(object.metadata['labels'] as JsonObject),
      'install.operator.istio.io/owning-resource': 'other',
    };

    expect(updated(object, withMetadata(object, { labels }))).to.deep.equal([...DEMO, `${NAMESPACE}/other`]);
  });

  it('names the owner when a replica is lost and when it returns', () => {
    expect(updated(deployment(2), deployment(1))).to.deep.equal(DEMO);
    expect(updated(deployment(1), deployment(2))).to.deep.equal(DEMO);
  });

  it('names the owner when a rollout gets on, so that people can watch it', () => {
    expect(updated(deployment(0), deployment(1))).to.deep.equal(DEMO);
  });

  it('names nobody when only the bookkeeping of the API server changed', () => {
    const object = deployment(2);
    const noise = { resourceVersion: '9', managedFields: [{ manager: 'kubelet' }], generation: 1 };

    expect(updated(object, withMetadata(object, noise))).to.deep.equal([]);
  });

  it('names the owner when a field of ours was edited and put back, for whoever did that owns it now', () => {
    const ownedFields = (fields: JsonObject): K8sObject => {
      const entry = { manager: 'istio-operator', operation: 'Apply', fieldsV1: fields };
      return withMetadata(deployment(2), { managedFields: [{ manager: 'kubectl-edit' }, entry] });
    };
    const ours = ownedFields({ 'f:spec': { 'f:replicas': {}, 'f:paused': {} } });

    expect(updated(ours, ownedFields({ 'f:spec': { 'f:paused': {} } }))).to.deep.equal(DEMO);
    expect(updated(ours, withMetadata(ours, { resourceVersion: '9' }))).to.deep.equal([]);
  });

  it('names nobody when a status changes that says nothing about readiness', () => {
    const autoscaler = owned('HorizontalPodAutoscaler', 'istiod', { status: { currentReplicas: 1 } });

    expect(updated(autoscaler, { ...autoscaler, status: { currentReplicas: 2 } })).to.deep.equal([]);
  });
});
