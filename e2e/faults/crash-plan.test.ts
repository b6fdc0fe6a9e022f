import { expect } from 'chai';
import { chosenPlans, crashPlans, describePlan, doubledPlans } from './crash-plan.ts';
import { seededRandom } from './fault-run.ts';

describe('crashPlans', () => {
  it('crashes before and after every write, and tells writes of one name apart', () => {
    expect(crashPlans(['PATCH a', 'PATCH b', 'PATCH a']).map(describePlan)).to.deep.equal([
      'crashBefore PATCH a #1',
      'crashAfter PATCH a #1',
      'crashBefore PATCH b #1',
      'crashAfter PATCH b #1',
      'crashBefore PATCH a #2',
      'crashAfter PATCH a #2',
    ]);
  });
});

describe('chosenPlans', () => {
  it('takes all plans when no number is given, and else a choice by the seed', () => {
    const writes = Array.from({ length: 20 }, (_item, index) => `PATCH ${index}`);

    expect(chosenPlans(writes, undefined, seededRandom(1))).to.have.length(40);
    expect(chosenPlans(writes, 5, seededRandom(1))).to.deep.equal(chosenPlans(writes, 5, seededRandom(1)));
  });
});

describe('doubledPlans', () => {
  it('crashes a second time at one of the first writes of the recovery', () => {
    const [plan] = doubledPlans(['PATCH a'], 1, seededRandom(3));

    expect(plan && describePlan(plan)).to.match(
      /^crash(Before|After) PATCH a #1, then crash(Before|After) write [1-5] of the recovery$/,
    );
  });
});
