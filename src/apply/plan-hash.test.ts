import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { contentHash, planHash } from './plan-hash.ts';
import type { Preview, PreviewedChange } from './preview-plan.ts';
import { component, configMap, deployment, planOf } from './testing/objects.ts';

const MESH = configMap('istio', { mesh: 'a' });
const ISTIOD = deployment('istiod');
const OLD = configMap('old');

function planWith(...objects: readonly K8sObject[]): Plan {
  return planOf(component('Pilot', objects));
}

function change(object: K8sObject, action: PreviewedChange['change']['action']): PreviewedChange {
  return { change: { ref: refOf(object), action, fields: [], changedBy: [] } };
}

function previewOf(...changes: readonly PreviewedChange[]): Preview {
  return { changes, failures: [] };
}

describe('planHash', () => {
  const preview = previewOf(change(MESH, 'configured'), change(ISTIOD, 'created'), change(OLD, 'pruned'));
  const hash = planHash(planWith(MESH, ISTIOD), preview);

  it('is the same whatever the order of objects, of their fields and of fields that changed', () => {
    const { metadata, data, ...rest } = MESH;
    const [mesh, istiod, old] = preview.changes;
    if (mesh === undefined || istiod === undefined || old === undefined) throw new Error('three changes');
    const told: PreviewedChange = { change: { ...mesh.change, fields: ['data.mesh'], changedBy: ['helm'] } };
    const respelt = { data: data ?? null, metadata, ...rest };

    const other = planHash(planWith(ISTIOD, respelt), previewOf(old, told, istiod));

    expect(other).to.equal(hash);
    expect(hash).to.match(/^[0-9a-f]{40}$/);
  });

  it('is the same whatever stays as it is', () => {
    const extra = configMap('values');

    const other = planHash(
      planWith(MESH, ISTIOD, extra),
      previewOf(...preview.changes, change(extra, 'unchanged')),
    );

    expect(other).to.equal(hash);
  });

  const others: readonly (readonly [string, Plan, Preview])[] = [
    ['content', planWith(configMap('istio', { mesh: 'b' }), ISTIOD), preview],
    ['action', planWith(MESH, ISTIOD), previewOf(...preview.changes.slice(1), change(MESH, 'created'))],
    ['deletion', planWith(MESH, ISTIOD), previewOf(...preview.changes.slice(0, 2))],
    ['refusal', planWith(MESH, ISTIOD), { ...preview, failures: [{ ref: refOf(OLD), message: 'no' }] }],
    [
      'deletion on the way',
      planWith(MESH, ISTIOD),
      previewOf(...preview.changes.slice(1), {
        change: { ref: refOf(MESH), action: 'configured', recreated: true, fields: [], changedBy: [] },
      }),
    ],
  ];
  for (const [what, plan, otherPreview] of others) {
    it(`is another one with another ${what}`, () => {
      expect(planHash(plan, otherPreview)).not.to.equal(hash);
    });
  }
});

describe('contentHash', () => {
  it('tells contents apart, not orders', () => {
    const hash = contentHash(planWith(MESH, ISTIOD));

    expect(contentHash(planWith(ISTIOD, MESH))).to.equal(hash);
    expect(contentHash(planWith(MESH))).not.to.equal(hash);
    expect(contentHash(planWith(configMap('istio', { mesh: 'b' }), ISTIOD))).not.to.equal(hash);
  });
});
