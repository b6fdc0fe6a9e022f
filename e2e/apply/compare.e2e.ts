/**
 * Comparing against what the API server really makes of an object, for everything that real istioctl renders. With
 * RECORD_LIVE_OBJECTS=1 it writes one object of each kind to the file that the unit tests of comparing use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { appliedForm } from '../../src/apply/applied-form.ts';
import type { Verdict } from '../../src/apply/compare.ts';
import { compare } from '../../src/apply/compare.ts';
import { mapParallel } from '../../src/apply/parallel.ts';
import { isClusterError } from '../../src/model/cluster-error.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, namespaceOf, refOf } from '../../src/model/object.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { recordedCases } from '../conformance/recorded-cases.ts';
import { appliable, RELEASE } from './demo-installation.ts';
import { EngineSession } from './engine-session.ts';

const NAMESPACE = 'compare-e2e';
const DEFINITIONS = new URL('../../crds/istio/1.30.jsonl', import.meta.url);
const RECORDING = new URL('../../src/apply/testdata/live-objects.jsonl', import.meta.url);
const signal = new AbortController().signal;

interface Pair {
  readonly desired: K8sObject;
  readonly live: K8sObject;
}

describe('comparing with what the API server stores', () => {
  let session: EngineSession;
  let pairs: readonly Pair[];

  before(async () => {
    session = await EngineSession.start(await sharedControlPlane());
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await session.cluster.apply(namespace, { signal, force: true });
    pairs = (await mapParallel([...renderedObjects(), ...definitions()], 6, store)).flat();
    if (process.env['RECORD_LIVE_OBJECTS'] === '1') record(pairs);
  });

  after(async () => {
    await session.cluster.delete({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE }, { signal });
    await session.close();
  });

  it('finds nothing to do, without asking, for what was just applied', () => {
    const wrong = pairs.map(
      ({ desired, live }) => [displayRef(refOf(desired)), compare(desired, live)] as const,
    );

    expect(wrong.filter(([, { kind }]) => kind !== 'same')).to.deep.equal([]);
  });

  it('looks at nearly everything that istioctl renders', () => {
    const kinds = new Set(pairs.map(({ desired }) => desired.kind));

    // Upstream renders some objects from its test inputs that no API server accepts.
    expect(pairs.length).to.be.greaterThan(1_300);
    expect(kinds.size).to.equal(19);
  });

  it('finds the difference to every other object of the same name', () => {
    const verdicts = neighbours(pairs).map(({ desired, live }) => compare(desired, live).kind);

    const count = (kind: Verdict['kind']): number => verdicts.filter((verdict) => verdict === kind).length;
    expect({ same: count('same'), undecided: count('undecided') }).to.deep.equal({ same: 0, undecided: 0 });
    expect(count('differs')).to.be.greaterThan(1_000);
  });

  /** A dry run, so that thousands of objects cost no more than the answers. */
  async function store(object: K8sObject): Promise<readonly Pair[]> {
    const desired = appliedForm(object);
    try {
      return [{ desired, live: await session.cluster.apply(desired, { signal, force: true, dryRun: true }) }];
    } catch (error) {
      if (isClusterError(error, 'invalid') || isClusterError(error, 'absent')) return [];
      throw error;
    }
  }
});

function renderedObjects(): readonly K8sObject[] {
  const rendered = recordedCases(RELEASE).flatMap(({ expected }) =>
    expected.kind === 'objects' ? expected.objects : [],
  );
  const objects = rendered
    .filter(({ kind }) => kind !== 'CustomResourceDefinition')
    .map((object) => intoNamespace(appliable(object)));
  return [...new Map(objects.map((object) => [JSON.stringify(object), object])).values()];
}

function definitions(): readonly K8sObject[] {
  const lines = readFileSync(DEFINITIONS, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as K8sObject); // as they ship
}

function intoNamespace(object: K8sObject): K8sObject {
  if (namespaceOf(object) === undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace: NAMESPACE } };
}

/** What is wanted of one object, beside what is stored of the next one that has its kind and name. */
function neighbours(pairs: readonly Pair[]): readonly Pair[] {
  const latest = new Map<string, K8sObject>();
  return pairs.flatMap(({ desired, live }) => {
    const name = displayRef(refOf(desired));
    const other = latest.get(name);
    latest.set(name, live);
    return other === undefined ? [] : [{ desired, live: other }];
  });
}

function record(pairs: readonly Pair[]): void {
  const byKind = new Map(pairs.toReversed().map((pair) => [pair.desired.kind, pair]));
  byKind.delete('CustomResourceDefinition'); // half a megabyte
  const lines = [...byKind.values()].map((pair) => JSON.stringify(pair)).toSorted();
  writeFileSync(RECORDING, `${lines.join('\n')}\n`);
}
