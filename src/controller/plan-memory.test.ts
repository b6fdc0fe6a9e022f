import { expect } from 'chai';
import { PlanMemory } from './plan-memory.ts';
import { istioOperator, planOf } from './testing/builders.ts';

const FACTS = { kubernetesVersion: 'v1.34.4' };

function countingMemory(): { memory: PlanMemory; planned: unknown[] } {
  const planned: unknown[] = [];
  const memory = new PlanMemory((spec, owner) => {
    planned.push([spec, owner]);
    return { kind: 'planned', plan: planOf() };
  });
  return { memory, planned };
}

describe('PlanMemory', () => {
  it('plans the specification for its owner', async () => {
    const { memory, planned } = countingMemory();

    await memory.plan(istioOperator({ spec: { profile: 'demo' } }), FACTS, undefined);

    expect(planned).to.deep.equal([[{ profile: 'demo' }, { name: 'demo', namespace: 'istio-system' }]]);
  });

  it('takes a resource without specification for an empty one', async () => {
    const { memory, planned } = countingMemory();
    const { spec: _spec, ...bare } = istioOperator();

    await memory.plan(bare, FACTS, undefined);

    expect(planned).to.deep.equal([[{}, { name: 'demo', namespace: 'istio-system' }]]);
  });

  it('plans again only for another generation, another resource of the name, or other facts', async () => {
    const { memory, planned } = countingMemory();
    const steps = [
      [istioOperator(), FACTS],
      [istioOperator({ resourceVersion: '9' }), FACTS],
      [istioOperator({ generation: 2 }), FACTS],
      [istioOperator({ generation: 2, uid: 'another' }), FACTS],
      [istioOperator({ generation: 2, uid: 'another' }), { kubernetesVersion: 'v1.35.0' }],
    ] as const;

    const counts: number[] = [];
    for (const [resource, facts] of steps) {
      await memory.plan(resource, facts, undefined);
      counts.push(planned.length);
    }

    expect(counts).to.deep.equal([1, 1, 2, 3, 4]);
  });

  it('tells the planner what is installed and which line was chosen, and plans again when that changes', async () => {
    const contexts: unknown[] = [];
    const memory = new PlanMemory((_spec, _owner, _facts, context) => {
      contexts.push(context);
      return { kind: 'planned', plan: planOf() };
    });
    const bare = istioOperator();
    const annotations = { 'install.istio.io/release-line': '1.29', 'example.com/note': 'later' };
    const annotated = { ...bare, metadata: { ...bare.metadata, annotations } };

    await memory.plan(bare, FACTS, undefined);
    await memory.plan(annotated, FACTS, undefined);
    await memory.plan(annotated, FACTS, '1.29.6');

    const line = { 'install.istio.io/release-line': '1.29' };
    expect(contexts).to.deep.equal([
      { annotations: {} },
      { annotations: line },
      { annotations: line, installedVersion: '1.29.6' },
    ]);
  });

  it('plans again what it was told to forget', async () => {
    const { memory, planned } = countingMemory();
    await memory.plan(istioOperator(), FACTS, undefined);

    memory.forget('istio-system/demo');
    await memory.plan(istioOperator(), FACTS, undefined);

    expect(planned).to.have.length(2);
  });

  it('gives a fault of the planner to its caller', async () => {
    const memory = new PlanMemory(() => {
      throw new RangeError('too deep');
    });

    const error = await memory.plan(istioOperator(), FACTS, undefined).catch((caught: unknown) => caught);

    expect(error).to.be.instanceOf(RangeError);
  });
});
