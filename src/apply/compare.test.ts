import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject, listAt, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { compare } from './compare.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { deployment, object } from './testing/objects.ts';

interface Pair {
  readonly desired: K8sObject;
  readonly live: K8sObject;
}

/** What was applied to a real API server, and what that made of it; e2e/apply/compare.e2e.ts records it. */
const RECORDED: readonly Pair[] = readFileSync(
  new URL('./testdata/live-objects.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Pair);

describe('compare', () => {
  describe('with objects of a real API server', () => {
    for (const { desired, live } of RECORDED) {
      it(`finds a ${desired.kind} the same as what it was applied as`, () => {
        expect(compare(desired, live)).to.deep.equal({ kind: 'same' });
      });

      it(`notices every change to a single field of a ${desired.kind}`, () => {
        const unnoticed = changesTo(desired).filter(({ changed }) => compare(changed, live).kind === 'same');

        expect(unnoticed.map(({ what }) => what)).to.deep.equal([]);
      });

      it(`notices for every field of a ${desired.kind} that somebody else took it over`, () => {
        const foreign = { ...live, metadata: { ...live.metadata, managedFields: otherManager(live) } };

        const verdict = compare(desired, foreign);

        expect(verdict).to.deep.include({ kind: 'differs', changedBy: ['kubectl-edit'] });
      });
    }

    it('takes another spelling of the same quantity for the same', () => {
      const { desired, live } = recorded('Deployment');
      const respelt = replaced(
        desired,
        ['spec', 'template', 'spec', 'containers', 0, 'resources', 'limits', 'memory'],
        '1048576Ki',
      );

      expect(
        at(desired, 'spec', 'template', 'spec', 'containers', 0, 'resources', 'limits', 'memory'),
      ).to.equal('1024Mi');
      expect(compare(respelt, live)).to.deep.equal({ kind: 'same' });
    });

    it('takes port 80 of TCP and port 80 of UDP for different ports', () => {
      const { desired, live } = recorded('Service');
      const changed = replaced(desired, ['spec', 'ports', 0, 'protocol'], 'UDP');

      const verdict = compare(changed, live);

      expect(verdict).to.deep.include({ kind: 'differs' });
      expect(verdict).to.have.property('fields').that.includes('spec.ports[port=15021,protocol=UDP]');
    });

    it('notices another order of environment variables', () => {
      const { desired, live } = recorded('Deployment');
      const env = ['spec', 'template', 'spec', 'containers', 0, 'env'];

      const verdict = compare(replaced(desired, env, listAt(desired, ...env).toReversed()), live);

      expect(verdict).to.deep.equal({
        kind: 'differs',
        fields: ['spec.template.spec.containers[name=istio-proxy].env'],
        changedBy: [],
      });
    });
  });

  describe('with managed fields', () => {
    const wanted = deployment('istiod', { replicas: 2 });

    it('finds an object that was never applied different, and names the values that change', () => {
      const api = new InMemoryApi();
      api.update('helm', deployment('istiod', { replicas: 3 }));

      expect(compare(wanted, stored(api, wanted))).to.deep.equal({
        kind: 'differs',
        fields: ['spec.replicas'],
        changedBy: ['helm'],
      });
    });

    it('finds an object different when only its owner is another, as in an adoption', () => {
      const api = new InMemoryApi();
      api.update('helm', wanted);

      const verdict = compare(wanted, stored(api, wanted));

      expect(verdict).to.deep.include({ kind: 'differs', changedBy: ['helm'] });
    });

    it('names the manager of each field that was taken over, and nobody else', () => {
      const api = new InMemoryApi();
      void api.apply(wanted, {});
      api.edit('kubectl', refOf(wanted), () => ({ spec: { ...mapAt(wanted, 'spec'), replicas: 9 } }));
      api.edit('other', refOf(wanted), (now) => ({ metadata: { ...now.metadata, annotations: { a: 'b' } } }));

      expect(compare(wanted, stored(api, wanted))).to.deep.equal({
        kind: 'differs',
        fields: ['spec.replicas'],
        changedBy: ['kubectl'],
      });
    });

    it('names no manager for a field that only we had', () => {
      const api = new InMemoryApi();
      void api.apply(wanted, {});
      const { replicas: _replicas, ...spec } = mapAt(wanted, 'spec');

      expect(compare({ ...wanted, spec }, stored(api, wanted))).to.deep.equal({
        kind: 'differs',
        fields: ['spec.replicas'],
        changedBy: [],
      });
    });

    it('finds an item of a list that somebody removed', () => {
      const api = new InMemoryApi();
      const env = (names: readonly string[]): K8sObject =>
        deployment('istiod', {
          containers: [{ name: 'main', env: names.map((name) => ({ name, value: 'x' })) }],
        });
      void api.apply(env(['A', 'B']), {});
      api.edit('kubectl', refOf(wanted), () => ({ spec: mapAt(env(['A']), 'spec') }));

      const verdict = compare(env(['A', 'B']), stored(api, wanted));

      expect(verdict).to.have.property('fields').that.deep.equals(['spec.containers[name=main].env[name=B]']);
    });

    it('leaves it to a dry run whether fields of another API version are the same', () => {
      const api = new InMemoryApi();
      void api.apply(object('HorizontalPodAutoscaler', 'istiod', { spec: { maxReplicas: 5 } }), {});
      const newer = {
        ...object('HorizontalPodAutoscaler', 'istiod', { spec: { maxReplicas: 5 } }),
        apiVersion: 'autoscaling/v3',
      };

      expect(compare(newer, stored(api, newer))).to.deep.equal({ kind: 'undecided', fields: ['apiVersion'] });
    });

    it('ignores what was applied by another manager or to the status', () => {
      const api = new InMemoryApi();
      void api.apply(wanted, {});

      expect(compare(wanted, stored(api, wanted), 'another-operator').kind).to.equal('differs');
      expect(compare(wanted, withSubresource(stored(api, wanted))).kind).to.equal('differs');
    });

    it('finds everything that was applied the same', () => {
      fc.assert(
        fc.property(anyObject(), (any) => {
          const api = new InMemoryApi();
          void api.apply(any, {});
          return compare(any, stored(api, any)).kind === 'same';
        }),
      );
    });

    it('finds what was applied different from anything else that was wanted', () => {
      fc.assert(
        fc.property(anyObject(), anyObject(), (one, other) => {
          fc.pre(JSON.stringify(one) !== JSON.stringify(other));
          const api = new InMemoryApi();
          void api.apply(one, {});
          return compare(other, stored(api, other)).kind !== 'same';
        }),
      );
    });
  });
});

/** Applying is synchronous in the model but for the promise that it returns. */
function stored(api: InMemoryApi, wanted: K8sObject): K8sObject {
  const found = api.read(refOf(wanted));
  if (found === undefined) throw new Error('it was not stored');
  return found;
}

function recorded(kind: string): Pair {
  const pair = RECORDED.find(({ desired }) => desired.kind === kind);
  if (pair === undefined) throw new Error(`no ${kind} is recorded`);
  return pair;
}

function otherManager({ metadata }: K8sObject): JsonValue {
  return listAt(metadata['managedFields']).map((entry) => ({
    ...mapAt(entry),
    manager: 'kubectl-edit',
    operation: 'Update',
  }));
}

function withSubresource(found: K8sObject): K8sObject {
  const entries = listAt(found, 'metadata', 'managedFields').map((entry) => ({
    ...mapAt(entry),
    subresource: 'status',
  }));
  return { ...found, metadata: { ...found.metadata, managedFields: entries } };
}

type Path = readonly (string | number)[];

interface ChangedObject {
  readonly what: string;
  readonly changed: K8sObject;
}

/** Each field changed, each field left out, and each map with one field more: one change at a time. */
function changesTo(desired: K8sObject): readonly ChangedObject[] {
  const paths = leavesOf(desired).filter((path) => !IDENTITY.has(path.join('.')));
  return paths.flatMap((path) => {
    const what = path.join('.');
    const value = at(desired, ...path) ?? null;
    return [
      { what: `${what} changed`, changed: replaced(desired, path, otherThan(value)) },
      ...(typeof path.at(-1) === 'string' && !isDefaulted(what, value)
        ? [{ what: `${what} left out`, changed: replaced(desired, path, undefined) }]
        : []),
    ];
  });
}

const IDENTITY: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata.name', 'metadata.namespace']);

/** Where the API server fills in the same value, leaving it out changes nothing. */
function isDefaulted(path: string, value: JsonValue): boolean {
  return (
    (path.endsWith('fieldRef.apiVersion') && value === 'v1') ||
    (path.endsWith('resourceFieldRef.divisor') && value === '0') ||
    (/\.rules\.\d+\.scope$/.test(path) && value === '*') ||
    (/ports\.\d+\.protocol$/.test(path) && value === 'TCP')
  );
}

function leavesOf(value: JsonValue, path: Path = []): readonly Path[] {
  const members = isJsonArray(value) ? value.map((item, index) => [index, item] as const) : [];
  const entries = isJsonObject(value) ? Object.entries(value) : members;
  if (entries.length === 0) return [path];
  return entries.flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

function otherThan(value: JsonValue): JsonValue {
  if (typeof value === 'string') return `${value}x`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return isJsonArray(value) ? ['x'] : { x: 'y' };
}

/** A copy with another value at a path; undefined leaves it out. */
function replaced<T extends JsonValue>(tree: T, path: Path, value: JsonValue | undefined): T {
  const [step = '', ...rest] = path;
  const copy = structuredClone(tree) as Record<string | number, JsonValue>; // the path leads through maps and lists
  if (rest.length > 0) copy[step] = replaced(copy[step] ?? {}, rest, value);
  else if (value === undefined) delete copy[step];
  else copy[step] = value;
  return copy as T; // of the same shape
}

/** Objects as charts make them: maps of scalars, a keyed list, an atomic list. Empty values have tests of their own. */
function anyObject(): fc.Arbitrary<K8sObject> {
  const name = fc.constantFrom('a', 'b', 'c', 'd.e/f');
  const scalar = fc.oneof(fc.string({ minLength: 1 }), fc.integer({ min: 1 }), fc.constant(true));
  const labels = fc.dictionary(name, fc.string({ minLength: 1 }), { minKeys: 1 });
  const env = fc.uniqueArray(fc.record({ name, value: scalar }), {
    selector: (item) => item.name,
    minLength: 1,
  });
  const container = fc.record({ name: fc.constant('main'), env, args: fc.array(scalar, { minLength: 1 }) });
  const spec = fc.record({
    replicas: scalar,
    containers: fc.tuple(container),
    deep: fc.dictionary(name, labels, { minKeys: 1 }),
  });
  return fc
    .record({ labels, spec })
    .map((parts): K8sObject =>
      object('Deployment', 'any', { metadata: { labels: parts.labels }, spec: parts.spec as JsonObject }),
    );
}
