import { expect } from 'chai';
import { API_RESOURCES } from '../../scripts/rendered-kinds.ts';
import { loadAssets } from '../../src/assets/load.ts';
import { labelMatcher } from '../../src/cluster/label-selector.ts';
import { OWNED_KINDS, ownedSelector } from '../../src/controller/watch-table.ts';
import { createPlanner } from '../../src/core/plan.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, groupOf, labelsOf, refOf } from '../../src/model/object.ts';
import { objectsOf } from '../../src/model/plan.ts';
import { EVERYTHING, FAR } from '../faults/everything.ts';

describe('the table of watched kinds', () => {
  it('has every kind that can be rendered, so that no drift goes unseen', () => {
    const watched = OWNED_KINDS.map(({ apiVersion, kind }) => `${groupOf(apiVersion)}/${kind}`);
    const rendered = Object.entries(API_RESOURCES).map(([kind, { group }]) => `${group}/${kind}`);

    expect(watched.toSorted()).to.deep.equal(rendered.toSorted());
  });

  describe('selects', () => {
    let objects: readonly K8sObject[];

    before(async () => {
      const planner = createPlanner(await loadAssets());
      const owner = { name: 'mesh', namespace: 'istio-system' };
      const facts = { kubernetesVersion: 'v1.34.4' };
      objects = [EVERYTHING, FAR].flatMap(({ name, spec = {} }) => {
        const planned = planner({ layers: [{ spec, source: name }], owner, facts });
        return planned.kind === 'planned' ? objectsOf(planned.plan) : [];
      });
    });

    it('every object that is rendered, of every kind', () => {
      const unseen = objects.filter((object) => !labelMatcher(ownedSelector(object))(labelsOf(object)));
      const kinds = new Set(objects.map(({ kind }) => kind));

      expect(unseen.map((object) => displayRef(refOf(object)))).to.deep.equal([]);
      expect([...kinds].toSorted()).to.deep.equal(OWNED_KINDS.map(({ kind }) => kind).toSorted());
    });

    it('no slice that Kubernetes makes of a Service of ours', () => {
      const slice = objects.find(({ kind }) => kind === 'EndpointSlice');
      const selector = labelMatcher(
        ownedSelector({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }),
      );
      const copies = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

      for (const controller of copies) {
        const labels = {
          ...labelsOf(slice as K8sObject),
          'endpointslice.kubernetes.io/managed-by': controller,
        };
        expect(selector(labels)).to.equal(false);
      }
    });
  });
});
