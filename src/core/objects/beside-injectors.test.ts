import { expect } from 'chai';
import { loadAssets } from '../../assets/load.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Plan } from '../../model/plan.ts';
import { objectsOf } from '../../model/plan.ts';
import { createPlanner } from '../plan.ts';
import { besideInjectors, besideOwnInjectors } from './beside-injectors.ts';
import { isActive, isInjector, overlap, tagOf, targetOfInjector } from './injectors.ts';

describe('besideOwnInjectors', () => {
  let planOf: (spec: JsonObject) => Plan;

  before(async () => {
    const planner = createPlanner(await loadAssets());
    planOf = (spec) => {
      const result = planner({ layers: [{ spec, source: 'test' }], facts: { kubernetesVersion: 'v1.34.4' } });
      if (result.kind === 'invalid') throw new Error(JSON.stringify(result.diagnostics));
      return result.plan;
    };
  });

  const TAGGED = { profile: 'minimal', values: { revisionTags: ['default'] } };

  it('leaves one injector for each pod: the tag for the default, not the revision without a name as well', () => {
    const injectors = objectsOf(besideOwnInjectors(planOf(TAGGED))).filter(isInjector);

    const [tag, ...others] = injectors.filter(isActive);
    expect(tag && tagOf(tag)).to.equal('default');
    expect(others).to.deep.equal([]);
    expect(injectors.some((one) => injectors.some((other) => one !== other && overlap(one, other)))).to.equal(
      false,
    );
  });

  it('is what the operator wants once it sees just that in the cluster', () => {
    const plan = planOf(TAGGED);
    const applied = besideOwnInjectors(plan);

    const wanted = besideInjectors(plan, objectsOf(applied).filter(isInjector));

    expect(objectsOf(wanted)).to.deep.equal(objectsOf(applied));
  });

  it('changes nothing where no tag is asked for', () => {
    const plan = planOf({ profile: 'minimal' });

    expect(objectsOf(besideOwnInjectors(plan))).to.deep.equal(objectsOf(plan));
    expect(objectsOf(plan).filter(isInjector).map(targetOfInjector)).to.have.length(1);
  });
});
