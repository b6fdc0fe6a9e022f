import { expect } from 'chai';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { LabelledHolder } from './claims.ts';
import { Claims } from './claims.ts';
import { hasSurplus, settleFor, settlingState, surveyOthers } from './survey.ts';
import type { SurveyDeps } from './survey.ts';
import type { ResourceParts } from './testing/builders.ts';
import { entryOf, GATEWAY, ISTIOD, istioOperator, planOf, READER } from './testing/builders.ts';

const DEMO = planOf();
const BASE_ONLY = planOf({ components: DEMO.components.slice(0, 1) });
const { signal } = new AbortController();

/** Resources by their key; each asks for DEMO, unless its profile says `base`, or is invalid when it says so. */
class World implements SurveyDeps {
  readonly claims = new Claims();
  readonly settings = { revision: '', readinessTimeoutMs: 1 };
  readonly planned: string[] = [];
  readonly forgotten: string[] = [];
  readonly woken: string[] = [];
  /** By whom every live object is labelled, but for whom. */
  labelled: string | undefined;
  readonly #resources: Map<string, K8sObject>;

  constructor(resources: Readonly<Record<string, ResourceParts>>) {
    this.#resources = new Map(
      Object.entries(resources).map(([name, parts]) => [name, istioOperator({ name, ...parts })]),
    );
  }

  readonly keys = (): readonly string[] => [...this.#resources.keys()];
  readonly read: string[] = [];
  readonly find = (key: string): K8sObject | undefined => {
    this.read.push(key);
    return this.#resources.get(key);
  };
  readonly stateOf = (key: string): string | undefined => {
    const resource = this.#resources.get(key);
    return resource && settlingState(resource, this.settings.revision);
  };
  readonly forgetPlan = (key: string): void => void this.forgotten.push(key);
  readonly labelledVersion = (): string | undefined => undefined;

  facts: SurveyDeps['facts'] = async () => ({ kubernetesVersion: 'v1.34.4' });

  labelledHolder(key: string, _ref: ObjectRef): LabelledHolder | undefined {
    return this.labelled === undefined || this.labelled === key
      ? undefined
      : { key: this.labelled, live: ISTIOD };
  }

  wake(key: string): void {
    this.woken.push(key);
  }

  plan: SurveyDeps['plan'] = (resource) => {
    this.planned.push(resource.metadata.name);
    const profile = (resource['spec'] as { readonly profile?: string }).profile;
    if (profile === 'invalid') return { kind: 'invalid', diagnostics: [] };
    return { kind: 'planned', plan: profile === 'base' ? BASE_ONLY : DEMO };
  };

  edit(name: string, parts: ResourceParts): void {
    this.#resources.set(name, istioOperator({ name, ...parts }));
  }

  async survey(key = 'a', keys?: readonly string[]): Promise<void> {
    await surveyOthers(this, { key, signal }, keys);
  }

  async settle(key: string, plan: Plan): Promise<string> {
    const resource = this.find(key) ?? istioOperator({ name: key });
    const settled = await settleFor(this, { key, resource, signal }, plan);
    return settled.kind === 'granted'
      ? settled.kind
      : `${settled.kind} by ${[...new Set(settled.contested.map(({ holder }) => holder))].join(' and ')}`;
  }
}

describe('hasSurplus', () => {
  const resource = istioOperator({
    status: {
      status: 'HEALTHY',
      conditions: [],
      observedGeneration: 1,
      inventory: [ISTIOD, GATEWAY].map((object) => ({ ...entryOf(object) })),
    },
  });

  it('tells whether something of the inventory is not in the plan', () => {
    const withoutGateway = planOf({ components: DEMO.components.slice(0, 2) });

    expect([hasSurplus({ resource }, DEMO), hasSurplus({ resource }, withoutGateway)]).to.deep.equal([
      false,
      true,
    ]);
  });

  it('finds nothing where nothing is recorded', () => {
    expect(hasSurplus({ resource: istioOperator() }, planOf({ components: [] }))).to.equal(false);
  });
});

describe('surveyOthers', () => {
  it('settles what all others ask for, once, until somebody edits it or makes it anew', async () => {
    const world = new World({ a: {}, b: {}, c: { spec: { profile: 'base' } } });

    const planned: string[][] = [];
    const survey = async (): Promise<void> => {
      await world.survey();
      planned.push(world.planned.splice(0));
    };
    await survey();
    await survey();
    world.edit('b', { generation: 2 });
    await survey();
    world.edit('c', { spec: { profile: 'base' }, uid: 'another' });
    await survey();

    expect(planned).to.deep.equal([['b', 'c'], [], ['b'], ['c']]);
    expect(world.claims.wantedBy('a', refOf(ISTIOD))).to.deep.equal(['b']);
    expect(world.claims.wantedBy('a', refOf(READER))).to.have.members(['b', 'c']);
  });

  it('keeps no plan in memory', async () => {
    const world = new World({ a: {}, b: {}, c: {} });

    await world.survey();

    expect(world.forgotten).to.deep.equal(['b', 'c']);
  });

  for (const [what, parts] of [
    ['is only to be planned', { annotations: { 'install.istio.io/dry-run': 'true' } }],
    ['is paused', { annotations: { 'install.istio.io/ignoreReconcile': 'true' } }],
    ['is gone already', { deletionTimestamp: '2026-11-30T09:00:00Z' }],
  ] as const)
    it(`leaves out one that ${what}`, async () => {
      const world = new World({ a: {}, b: parts });

      await world.survey();

      expect([world.planned, world.forgotten]).to.deep.equal([[], []]);
    });

  for (const [what, parts] of [
    ['is paused', { annotations: { 'install.istio.io/ignoreReconcile': 'true' } }],
    ['another operator serves', { spec: { revision: 'other' } }],
  ] as const)
    it(`wakes whoever waits for what one keeps that ${what}, once`, async () => {
      const world = new World({ a: {}, b: {}, c: {} });
      world.settings.revision = 'default';
      await world.settle('b', DEMO);
      await world.settle('a', DEMO);
      const status = {
        status: 'HEALTHY',
        conditions: [],
        observedGeneration: 1,
        inventory: [{ ...entryOf(ISTIOD) }],
      };
      world.edit('b', { ...parts, status, generation: 2 });

      await world.survey('c', ['b']);
      world.edit('b', { ...parts, status, generation: 3 });
      await world.survey('c', ['b']);

      expect(world.woken).to.deep.equal(['a']);
    });

  it('wakes nobody for one that goes on', async () => {
    const world = new World({ a: {}, b: {} });
    await world.settle('b', DEMO);
    await world.settle('a', DEMO);
    world.edit('b', { generation: 2 });

    await world.survey('c', ['b']);

    expect(world.woken).to.deep.equal([]);
  });

  it('leaves the claims of one that cannot be planned as they are', async () => {
    const world = new World({ a: {}, b: {} });
    await world.survey();
    world.edit('b', { spec: { profile: 'invalid' }, generation: 2 });

    await world.survey();

    expect(world.claims.wantedBy('a', refOf(ISTIOD))).to.deep.equal(['b']);
  });

  it('reads nobody again who has not changed, whether it asks for something, is refused, or is left out', async () => {
    const paused = { annotations: { 'install.istio.io/ignoreReconcile': 'true' } };
    const dryRun = { annotations: { 'install.istio.io/dry-run': 'true' } };
    const refused = { spec: { profile: 'invalid' } };
    const world = new World({ a: {}, asks: {}, refused, paused, dryRun });
    await world.survey();
    const [first, planned] = [world.read.splice(0), world.planned.splice(0)];

    await world.survey();

    expect(first).to.deep.equal(['asks', 'refused', 'paused', 'dryRun']);
    expect(planned).to.deep.equal(['asks', 'refused']);
    expect([world.read, world.planned]).to.deep.equal([[], []]);
  });

  it('asks again whoever is no longer paused, although its specification is as it was', async () => {
    const world = new World({ a: {}, b: { annotations: { 'install.istio.io/ignoreReconcile': 'true' } } });
    await world.survey();

    world.edit('b', {});
    await world.survey();

    expect(world.planned).to.deep.equal(['b']);
  });

  it('asks again whoever could not be asked for want of an answer', async () => {
    const world = new World({ a: {}, b: {} });
    const { facts } = world;
    world.facts = async () => Promise.reject(new Error('no answer'));
    await world.survey().catch(() => undefined);
    world.facts = facts;
    await world.survey();

    expect(world.planned).to.deep.equal(['b']);
  });

  it('asks only those that it is told to, as far as they are there', async () => {
    const world = new World({ a: {}, b: {}, c: {} });

    await world.survey('a', ['a', 'nobody', 'c']);

    expect(world.planned).to.deep.equal(['c']);
  });
});

describe('settleFor', () => {
  it('grants what nobody else has', async () => {
    expect(await new World({ a: {} }).settle('a', DEMO)).to.equal('granted');
  });

  it('refuses what another one holds', async () => {
    const world = new World({ a: {}, b: {} });
    await world.settle('b', DEMO);

    expect(await world.settle('a', DEMO)).to.equal('refused by b');
    expect(world.planned).to.deep.equal([]);
  });

  it('first asks whoever is in the way by a label whether that is still so', async () => {
    const world = new World({ a: {}, b: { spec: { profile: 'base' } } });
    world.labelled = 'b';

    expect(await world.settle('a', DEMO)).to.equal('granted');
    expect(world.planned).to.deep.equal(['b']);
  });

  it('does not name whoever had been in the way, and came to its own turn meanwhile', async () => {
    const paused = { annotations: { 'install.istio.io/ignoreReconcile': 'true' } };
    const world = new World({ a: {}, paused, b: { spec: { profile: 'base' } } });
    world.labelledHolder = (key, { name }) =>
      key === 'a' ? { key: name === ISTIOD.metadata.name ? 'paused' : 'b', live: ISTIOD } : undefined;

    const settling = world.settle('a', DEMO);
    await world.settle('b', BASE_ONLY);

    expect([await settling, world.planned]).to.deep.equal(['refused by paused', []]);
  });

  it('asks whoever is in the way by a label beside others who were settled', async () => {
    const world = new World({ a: {}, b: {}, c: { spec: { profile: 'base' } } });
    await world.settle('b', DEMO);
    world.labelledHolder = (key, { name }) =>
      key === 'a' ? { key: name === ISTIOD.metadata.name ? 'b' : 'c', live: ISTIOD } : undefined;

    expect(await world.settle('a', DEMO)).to.equal('refused by b');
    expect(world.planned).to.deep.equal(['c']);
  });

  it('asks nobody else when one is paused and keeps what is labelled as its own', async () => {
    const world = new World({ a: {}, b: { annotations: { 'install.istio.io/ignoreReconcile': 'true' } } });
    world.labelled = 'b';

    expect(await world.settle('a', DEMO)).to.equal('refused by b');
    expect(world.planned).to.deep.equal([]);
  });

  it('is refused when that is still so', async () => {
    const world = new World({ a: {}, b: {} });
    world.labelled = 'b';

    expect(await world.settle('a', DEMO)).to.equal('refused by b');
  });

  it('has nobody asked who was settled, and so does not settle twice', async () => {
    const world = new World({ a: {}, b: {} });
    await world.settle('b', DEMO);
    let asked = 0;
    world.labelledHolder = () => {
      asked += 1;
      return undefined;
    };

    await world.settle('a', DEMO);

    expect(asked).to.equal(3);
  });

  it('wakes whoever can have now what is not asked for any more', async () => {
    const world = new World({ a: {}, b: {} });
    await world.settle('a', DEMO);
    await world.settle('b', DEMO);

    await world.settle('a', BASE_ONLY);

    expect(world.woken).to.deep.equal(['b']);
  });

  it('remembers that the resource was settled, so that nobody plans it again', async () => {
    const world = new World({ a: {}, b: {} });
    await world.settle('a', DEMO);
    await world.survey('b');

    expect(world.planned).to.deep.equal([]);
  });
});
