import { expect } from 'chai';
import { object } from '../testing/objects.ts';
import type { Ownership } from './owner-labels.ts';
import { withOwnerLabels } from './owner-labels.ts';

const OWNERSHIP: Ownership = {
  owner: { name: 'demo', namespace: 'istio-system' },
  component: 'Pilot',
  revision: 'canary',
  version: '1.30.3',
};

describe('withOwnerLabels', () => {
  it('adds the labels by which istioctl and the operator find the object', () => {
    expect(withOwnerLabels(object('Service', 'istiod'), OWNERSHIP).metadata['labels']).to.deep.equal({
      'operator.istio.io/managed': 'Reconcile',
      'operator.istio.io/version': '1.30.3',
      'operator.istio.io/component': 'Pilot',
      'install.operator.istio.io/owning-resource': 'demo',
      'install.operator.istio.io/owning-resource-namespace': 'istio-system',
      'istio.io/rev': 'canary',
    });
  });

  it('calls the revision without a name default', () => {
    const labelled = withOwnerLabels(object('Service', 'istiod'), { ...OWNERSHIP, revision: '' });

    expect(labelled.metadata['labels']).to.include({ 'istio.io/rev': 'default' });
  });

  it("keeps the object's own labels, but for those that say something else about the owner", () => {
    const labels = { app: 'istiod', 'install.operator.istio.io/owning-resource': 'unknown' };
    const original = { ...object('Service', 'istiod'), metadata: { name: 'istiod', labels } };

    expect(withOwnerLabels(original, OWNERSHIP).metadata['labels']).to.include({
      app: 'istiod',
      'install.operator.istio.io/owning-resource': 'demo',
    });
  });

  it('does not touch the labels of pods: a change there would restart them', () => {
    const spec = { template: { metadata: { labels: { app: 'istiod' } } } };

    expect(withOwnerLabels(object('Deployment', 'istiod', { spec }), OWNERSHIP)['spec']).to.equal(spec);
  });
});
