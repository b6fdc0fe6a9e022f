import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import type { Planner } from '../core/plan.ts';
import { createPlanner } from '../core/plan.ts';
import type { AssetBundle } from '../model/assets.ts';
import type { JsonObject } from '../model/json.ts';
import type { Plan, PlanResult } from '../model/plan.ts';
import { createGuardedPlanner } from './guarded-planner.ts';
import type { GuardedPlanner } from './guarded-planner.ts';
import type { PlanRequest } from './plan-message.ts';
import { PlanThread } from './plan-thread.ts';
import type { ThreadOutcome } from './plan-thread.ts';

const MODULE = new URL('../plan-worker.ts', import.meta.url);
/** Long enough for what can be planned, on a machine that is busy with something else. */
const SETTINGS = { module: MODULE, deadlineMs: 20_000, heapMiB: 96, idleMs: 60_000 };

function gateways(count: number): JsonObject {
  const ingressGateways = Array.from({ length: count }, (_, index) => ({
    name: `gateway-${index}`,
    enabled: true,
  }));
  return { profile: 'minimal', components: { ingressGateways } };
}

describe('planning what anybody may have written', function planning() {
  this.timeout(60_000); // loading assets twice, and time-outs of planning itself

  let assets: AssetBundle;
  let planner: Planner;
  let thread: PlanThread;
  let asked: number;

  before(async () => {
    assets = await loadAssets();
    planner = createPlanner(assets);
  });

  beforeEach(() => {
    thread = new PlanThread(SETTINGS);
    asked = 0;
  });

  afterEach(async () => {
    await thread.close();
  });

  function guarded(limits: Partial<typeof SETTINGS> = {}): GuardedPlanner {
    const settings = { ...SETTINGS, ...limits };
    thread = new PlanThread(settings);
    const counting = {
      plan: async (request: PlanRequest): Promise<ThreadOutcome> => {
        asked += 1;
        return thread.plan(request);
      },
    };
    return createGuardedPlanner({ planner, thread: counting, assets, deadlineMs: settings.deadlineMs });
  }

  async function plan(plannerOf: GuardedPlanner | Planner, spec: unknown): Promise<PlanResult> {
    const owner = { name: 'demo', namespace: 'istio-system' };
    const facts = { kubernetesVersion: 'v1.34.4' };
    return plannerOf({ layers: [{ spec, source: 'a test' }], owner, facts });
  }

  function planIn(result: PlanResult): Plan {
    if (result.kind === 'invalid') throw new Error(JSON.stringify(result.diagnostics));
    return result.plan;
  }

  function causesOf(result: PlanResult): readonly string[] {
    return result.kind === 'invalid' ? result.diagnostics.map(({ code, cause }) => `${code} ${cause}`) : [];
  }

  it('plans in the thread what it would plan here, with the same definitions', async () => {
    const here = planIn(await plan(planner, gateways(9)));
    const there = planIn(await plan(guarded(), gateways(9)));

    const definition = there.components[0]?.objects.find(({ kind }) => kind === 'CustomResourceDefinition');
    expect(asked).to.equal(1);
    expect(there).to.deep.equal(here);
    expect(assets.crds.get('1.30')?.some(({ spec }) => spec === definition?.['spec'])).to.equal(true);
  });

  it('plans at once what is small, and what the gate refuses', async () => {
    const guard = guarded();
    const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`) as JsonObject;

    const small = await plan(guard, { profile: 'demo' });
    const refused = await plan(guard, { values: deep });

    expect([small.kind, causesOf(refused), asked]).to.deep.equal([
      'planned',
      ['IOP103 it is nested deeper than 100 levels'],
      0,
    ]);
  });

  it('ends what takes too long, remembers it, and plans the next one', async () => {
    const guard = guarded({ deadlineMs: 150 });
    const slow = gateways(250);

    const first = await plan(guard, slow);
    const again = await plan(guard, slow);
    const askedBefore = asked;
    const next = await plan(guard, { unknown: Array.from({ length: 500 }, () => 1) });

    expect(causesOf(first)).to.deep.equal(['IOP502 it could not be planned within 0.15 seconds']);
    expect([again === first, askedBefore]).to.deep.equal([true, 1]);
    expect(causesOf(next)[0]).to.match(/^IOP201 /);
  });

  it('ends what takes too much memory', async () => {
    const guard = guarded({ heapMiB: 24 });

    const result = await plan(guard, { hub: `example.com/${'x'.repeat(900_000)}`, ...gateways(9) });

    expect(causesOf(result)).to.deep.equal([
      'IOP502 it could not be planned within the memory that one resource may take',
    ]);
  });

  it('refuses a path that leads deeper than any stack, and says where it is', async () => {
    const path = 'a.'.repeat(500_000);
    const overlays = [{ kind: 'Deployment', name: 'istiod', patches: [{ path, value: 1 }] }];

    const result = await plan(guarded(), { components: { pilot: { k8s: { overlays } } } });

    expect(causesOf(result)).to.deep.equal(['IOP404 it has more than 100 steps']);
  });

  it('refuses a plan that is larger than one resource can keep', async () => {
    const result = await plan(guarded(), { hub: `example.com/${'x'.repeat(900_000)}`, ...gateways(9) });

    expect(causesOf(result)).to.deep.equal([
      'IOP503 its 87 objects are more, or larger, than one resource can keep',
    ]);
  });

  it('ends the thread when nobody needs it any more', async () => {
    const guard = guarded({ idleMs: 1 });
    await plan(guard, gateways(9));

    const result = await plan(guard, { ...gateways(9), revision: 'canary' });

    expect(planIn(result).revision).to.equal('canary');
  });
});
