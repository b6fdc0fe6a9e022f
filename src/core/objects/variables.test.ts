import { expect } from 'chai';
import type { TestPlanner } from '../testing/planning.ts';
import { testPlanner } from '../testing/planning.ts';

describe('refusedVariables', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  it('warns of a variable that is there twice', () => {
    expect(planner.findings({ values: { pilot: { env: { CLUSTER_ID: 'mesh' } } } })).to.deep.equal([
      'IOP312 spec.components.pilot: Deployment istio-system/istiod: the variable CLUSTER_ID is there twice, once by ' +
        'Istio itself. Use the setting that Istio makes the variable from, or an overlay that changes its value.',
    ]);
  });

  it('warns of a variable with a value and a source, and not once the source is gone', () => {
    const variable = { name: 'POD_NAME', value: 'x' };
    const spec = (env: object) => ({ components: { pilot: { k8s: { env: [env] } } } });

    expect(planner.findings(spec(variable))).to.have.lengthOf(1);
    expect(planner.findings(spec({ ...variable, valueFrom: null }))).to.deep.equal([]);
  });
});
