import { expect } from 'chai';
import type { JsonObject } from '../../../model/json.ts';
import { mapAt } from '../../../model/json.ts';
import type { TestPlanner } from '../../testing/planning.ts';
import { testPlanner } from '../../testing/planning.ts';

describe('workloadManifests', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  it('has one limit in the disruption budget: the presence of maxUnavailable switches minAvailable off', () => {
    const limits = (pdb: JsonObject) => {
      const values = { pilot: { autoscaleMin: 2 } };
      const name = 'PodDisruptionBudget istio-system/istiod';
      const { selector: _selector, ...budget } = mapAt(
        planner.field({ values, unvalidatedValues: { pilot: { pdb } } }, name, 'spec'),
      );
      return budget;
    };

    expect([
      limits({}),
      limits({ minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
      limits({ maxUnavailable: 1 }),
      limits({ maxUnavailable: 0 }),
    ]).to.deep.equal([
      { minAvailable: 1 },
      { minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      { maxUnavailable: 1 },
      {},
    ]);
  });

  it('scales by CPU, and by memory when that is asked for', () => {
    const metrics = (pilot: JsonObject) =>
      planner.field({ values: { pilot } }, 'HorizontalPodAutoscaler istio-system/istiod', 'spec', 'metrics');
    const metric = (name: string, averageUtilization: number) => ({
      type: 'Resource',
      resource: { name, target: { type: 'Utilization', averageUtilization } },
    });

    expect(metrics({})).to.deep.equal([metric('cpu', 80)]);
    expect(metrics({ memory: { targetAverageUtilization: 70 } })).to.deep.equal([
      metric('cpu', 80),
      metric('memory', 70),
    ]);
  });

  it('leads the Service of a tag to the revision that the tag stands for', () => {
    const spec = { revision: 'canary', values: { revisionTags: ['prod'] } };
    const service = (name: string) => planner.field(spec, `Service istio-system/${name}`, 'spec', 'selector');

    expect(service('istiod-revision-tag-prod')).to.deep.equal({ app: 'istiod', 'istio.io/rev': 'canary' });
    expect(service('istiod-revision-tag-prod')).to.deep.equal(service('istiod-canary'));
  });
});
