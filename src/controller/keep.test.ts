import { expect } from 'chai';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { Claims } from './claims.ts';
import { keepFor, keepInPreview } from './keep.ts';
import type { KeepDeps } from './keep.ts';
import type { ResourceParts } from './testing/builders.ts';
import { entryOf, GATEWAY, ISTIOD, istioOperator, NAMESPACE, planOf, READER } from './testing/builders.ts';

const DEMO = planOf();
const PAUSED = { annotations: { 'install.istio.io/ignoreReconcile': 'true' } };
const GOING = { deletionTimestamp: '2026-11-30T09:00:00Z' };
const TAG: ObjectRef = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'istio-revision-tag-prod',
};
const ASKS_FOR_TAG = { spec: { revision: 'canary', values: { revisionTags: ['prod'] } } };

/** Resources by their key, of which `a` goes. */
class World implements KeepDeps {
  readonly claims = new Claims();
  readonly settings: KeepDeps['settings'];
  readonly #resources: ReadonlyMap<string, K8sObject>;

  constructor(resources: Readonly<Record<string, ResourceParts>>, revision = '') {
    this.settings = { revision, readinessTimeoutMs: 1 };
    const entries = Object.entries(resources);
    this.#resources = new Map(entries.map(([name, parts]) => [name, istioOperator({ name, ...parts })]));
  }

  readonly keys = (): readonly string[] => [...this.#resources.keys()];
  readonly find = (key: string): K8sObject | undefined => this.#resources.get(key);

  settle(...keys: readonly string[]): this {
    for (const key of keys) this.claims.settle(key, DEMO, () => undefined);
    return this;
  }

  /** What stays when `a` goes. */
  kept(...objects: readonly ObjectRef[]): readonly string[] {
    return objects.filter(keepFor(this, { key: 'a' })).map(({ name }) => name);
  }
}

function installed(parts: ResourceParts = {}): ResourceParts {
  const status = { status: 'HEALTHY', conditions: [], inventory: [{ ...entryOf(READER) }] };
  return { ...parts, status: { ...status, observedGeneration: 1 } };
}

describe('what is kept when a resource goes', () => {
  const refs = [ISTIOD, GATEWAY, READER].map(refOf);
  const all = ['istiod', 'istio-ingressgateway', 'istio-reader'];

  it('is what another one takes over', () => {
    expect(new World({ a: GOING, b: {} }).settle('a', 'b').kept(...refs)).to.deep.equal(all);
  });

  it('is nothing when nobody else is there', () => {
    expect(new World({ a: GOING }).settle('a').kept(...refs)).to.deep.equal([]);
  });

  it('is nothing that the other one could not have, since it stays with who goes not', () => {
    expect(new World({ a: {}, b: {} }).settle('a', 'b').kept(...refs)).to.deep.equal([]);
  });

  for (const [what, parts] of [
    ['goes too', GOING],
    ['is paused', PAUSED],
    ['is paused and has something installed, but goes too', installed({ ...PAUSED, ...GOING })],
  ] as const)
    it(`is nothing for one that ${what}`, () => {
      expect(new World({ a: GOING, b: parts }).settle('a', 'b').kept(...refs)).to.deep.equal([]);
    });

  it('is nothing for one that nobody finds any more', () => {
    expect(new World({ a: GOING }).settle('a', 'b').kept(...refs)).to.deep.equal([]);
  });

  it('is what all may use, for one that is paused and needs it', () => {
    const world = new World({ a: GOING, b: installed(PAUSED) }).settle('a', 'b');

    expect(world.kept(...refs)).to.deep.equal(['istio-reader']);
  });

  it('is promised to who takes it over', () => {
    const world = new World({ a: GOING, b: {}, c: {} }).settle('a', 'b', 'c');
    world.kept(refOf(ISTIOD));
    world.claims.forget('a');

    expect(world.claims.settle('c', DEMO, () => undefined).kind).to.equal('refused');
  });

  it('is told beforehand without a promise', () => {
    const world = new World({ a: GOING, b: {}, c: {} }).settle('a', 'b', 'c');

    const foretold = refs.filter(keepInPreview(world, { key: 'a' }));
    world.claims.forget('a');

    expect(foretold).to.deep.equal(refs);
    expect(world.claims.settle('c', DEMO, () => undefined).kind).to.equal('granted');
  });

  describe('of revision tags', () => {
    function keptOf(revision: string, others: Readonly<Record<string, ResourceParts>>): readonly boolean[] {
      const world = new World({ a: GOING, ...others }, revision);
      return [keepFor, keepInPreview].map((keep) => keep(world, { key: 'a' })(TAG));
    }

    it('is what a resource of another operator asks for', () => {
      expect(keptOf('stable', { b: ASKS_FOR_TAG })).to.deep.equal([true, true]);
    });

    it('is not what one that we serve asks for: it has claims', () => {
      expect(keptOf('', { b: ASKS_FOR_TAG })).to.deep.equal([false, false]);
      expect(keptOf('canary', { b: ASKS_FOR_TAG })).to.deep.equal([false, false]);
    });

    it('is not what one that goes asks for', () => {
      const held = { finalizers: ['istio-finalizer.install.istio.io'] };

      expect(keptOf('stable', { b: { ...ASKS_FOR_TAG, ...GOING, ...held } })).to.deep.equal([false, false]);
    });

    it('is nothing that nobody asks for', () => {
      const other = { spec: { revision: 'canary', values: { revisionTags: ['test'] } } };

      expect(keptOf('stable', { b: other })).to.deep.equal([false, false]);
    });

    it('is no object of another kind', () => {
      const world = new World({ a: GOING, b: ASKS_FOR_TAG }, 'stable');

      expect(keepFor(world, { key: 'a' })({ ...TAG, kind: 'ConfigMap', namespace: NAMESPACE })).to.equal(
        false,
      );
    });
  });
});
