import { expect } from 'chai';
import fc from 'fast-check';
import { displayRef, refOf } from '../../model/object.ts';
import { object } from '../testing/objects.ts';
import { inApplyOrder } from './order.ts';

/** One object of each kind that the operator renders, in an order in which each finds what it needs. */
const IN_ORDER = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'Role',
  'ClusterRoleBinding',
  'RoleBinding',
  'ResourceQuota',
  'ConfigMap',
  'Secret',
  'NetworkPolicy',
  'EndpointSlice',
  'Service',
  'NetworkAttachmentDefinition',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
].map((kind) => object(kind, 'a'));

describe('inApplyOrder', () => {
  it('puts what others need first, and webhooks behind their servers', () => {
    expect(inApplyOrder(IN_ORDER.toReversed())).to.deep.equal(IN_ORDER);
  });

  it('sorts objects of a kind by namespace and name', () => {
    const maps = [
      ['b', 'x'],
      ['a', 'y'],
      ['a', 'x'],
    ].map(([namespace = '', name = '']) => ({ ...object('ConfigMap', name), metadata: { name, namespace } }));

    expect(inApplyOrder(maps).map((map) => displayRef(refOf(map)))).to.deep.equal([
      'ConfigMap a/x',
      'ConfigMap a/y',
      'ConfigMap b/x',
    ]);
  });

  it('gives the same order whatever the order was', () => {
    const objects = [...IN_ORDER, ...IN_ORDER.map(({ kind }) => object(kind, 'b'))];
    const expected = inApplyOrder(objects);
    fc.assert(
      fc.property(fc.shuffledSubarray(objects, { minLength: objects.length }), (shuffled) => {
        expect(inApplyOrder(shuffled)).to.deep.equal(expected);
      }),
      { numRuns: 30 },
    );
  });
});
