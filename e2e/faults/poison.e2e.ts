/** Resources that nobody should write, on a real API server, beside one that must not notice. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { loadAssets } from '../../src/assets/load.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { spreadOf } from './durations.ts';
import { readFaultRun, sample, seededRandom } from './fault-run.ts';
import type { Counts } from './figures.ts';
import { recordProof } from './figures.ts';
import { DriftAdversary, disturbedIn } from './poison-drift.ts';
import { DEPLOYMENTS, gatewaySpec, METADATA_POISONS, PoisonNamespace, RESOURCES } from './poison-metadata.ts';
import { PoisonOperator } from './poison-operator.ts';
import type { Poison } from './poison-specs.ts';
import { HEAVY, POISON_NAMESPACE, POISONS } from './poison-specs.ts';

const NAMESPACE = 'istio-system';
const run = readFaultRun(process.env);
const random = seededRandom(run.seed);
/** In `npm test` a sample. */
const SIZES = {
  1: { poisons: 20, heavy: 3, crowd: 300, stormMs: 4_000 },
  2: { poisons: POISONS.length, heavy: HEAVY.length, crowd: 500, stormMs: 20_000 },
} as const;
const SIZE = SIZES[run.tier];
/** So many at once: more than the operator looks at side by side. */
const AT_ONCE = 6;
const LANES = 40;
/** A poison that is not contained by then never is. */
const GIVE_UP_MS = 60_000;
/** What the controller lets through at once for one resource, its reserve with it, and how many a second after that. */
const BURST = 28;
const LOOKS_PER_SECOND = 2;
const EDITS_PER_SECOND = 20;
/** The targets of the proof; the machine has to be our own for them. */
const STATUS_MS = 10_000;
const LATE_MS = 100;
const REPAIR_MS = 1_000;
/** What deploy/ allows, less a fifth. */
const PEAK_MIB = 256;

interface Contained {
  readonly name: string;
  readonly kind: 'refused' | 'told' | 'untold';
  readonly tookMs: number;
  readonly reason: string;
}

function slowestOf(contained: readonly Contained[]): Pick<Contained, 'name' | 'tookMs'> {
  const none: Pick<Contained, 'name' | 'tookMs'> = { name: '', tookMs: 0 };
  return contained.reduce((slowest, each) => (each.tookMs > slowest.tookMs ? each : slowest), none);
}

describe('poison resources', function poison() {
  this.timeout(15 * 60_000);

  let plane: ControlPlane;
  let resources: Resources;
  let namespace: PoisonNamespace;
  let operator: PoisonOperator;
  let adversary: DriftAdversary;
  const contained: Contained[] = [];
  const repairs: number[] = [];
  const crowdedRepairs: number[] = [];
  let forged = 0;
  const storm = { edits: 0, looks: 0, sustained: 0 };
  let counts: Counts = {};

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    namespace = new PoisonNamespace(plane);
    adversary = new DriftAdversary(plane, disturbedIn(NAMESPACE));
    await resources.prepare();
    await plane.api.request('POST', '/api/v1/namespaces', { metadata: { name: POISON_NAMESPACE } });
    operator = await PoisonOperator.start(plane);
    await editHealthy(0);
  });

  after(async () => {
    // Where a test failed: gateways that are left use the mesh, which then could not go.
    await deleteAll();
    await resources.clear();
    await operator.end();
    await plane.api.request('DELETE', `/api/v1/namespaces/${POISON_NAMESPACE}`);
  });

  /** Creates it so that it is only planned, unless it is to be installed. */
  async function contain(
    { name, spec }: Poison,
    mode: 'planned' | 'installed' = 'planned',
  ): Promise<Contained> {
    const startMs = performance.now();
    const since = (): number => Math.round(performance.now() - startMs);
    const annotations = mode === 'planned' ? { 'install.istio.io/dry-run': 'true' } : {};
    const metadata = JSON.stringify({ name, annotations });
    const resource = `{"apiVersion":"install.istio.io/v1alpha1","kind":"IstioOperator","metadata":${metadata},"spec":${spec}}`;
    // No answer in time is no refusal: it may have been stored.
    const answer = await plane.api.request('POST', RESOURCES, resource).catch(() => undefined);
    if (answer !== undefined && answer.status >= 400)
      return { name, kind: 'refused', tookMs: since(), reason: stringAt(answer.body, 'message') ?? '' };
    const createdMs = performance.now();
    while (performance.now() - createdMs < GIVE_UP_MS) {
      const live = at(await namespace.read(`${RESOURCES}/${name}`), 'status');
      const reason = stringAt(live, 'conditions', 0, 'reason');
      if (reason !== undefined && at(live, 'observedGeneration') === 1)
        return { name, kind: 'told', tookMs: since(), reason };
      await delay(100);
    }
    return { name, kind: 'untold', tookMs: since(), reason: '' };
  }

  /** How long an edit of the healthy resource takes until it is rolled out. */
  async function editHealthy(round: number): Promise<number> {
    const startMs = performance.now();
    const meshConfig = { accessLogFile: `/dev/log-${round}` };
    await resources.apply('mesh', { profile: 'minimal', meshConfig });
    await resources.until('mesh', 'HEALTHY');
    return Math.round(performance.now() - startMs);
  }

  /** Edits one resource again and again. Returns how often. */
  async function edit(name: string, forMs: number): Promise<number> {
    const startMs = performance.now();
    let edits = 0;
    while (performance.now() - startMs < forMs) {
      storm.edits += 1;
      edits += 1;
      await namespace.patch(`${RESOURCES}/${name}`, {
        spec: gatewaySpec(name, { edit: String(storm.edits) }),
      });
      await delay(Math.max(0, startMs + (edits * 1_000) / EDITS_PER_SECOND - performance.now()));
    }
    return edits;
  }

  /** Small ones, only to be planned; as many at a time as the API server takes without a queue. */
  async function createAll(names: readonly string[]): Promise<void> {
    const left = [...names];
    const metadata = { annotations: { 'install.istio.io/dry-run': 'true' } };
    const lane = async (): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop())
        await namespace.create(name, { profile: 'empty' }, metadata);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async function untilAllAreTold(names: readonly string[]): Promise<void> {
    await eventually('all of them are told', async () => {
      const items = listAt(await namespace.read(RESOURCES), 'items');
      const told = items.filter((item) => at(item, 'status', 'observedGeneration') === 1);
      const toldNames = new Set(told.map((item) => at(item, 'metadata', 'name')));
      await delay(250);
      return names.every((name) => toldNames.has(name));
    });
  }

  async function deleteAll(): Promise<void> {
    await eventually('they are gone', async () => {
      await plane.api.request('DELETE', RESOURCES).catch(() => undefined);
      const answer = await plane.api.request('GET', RESOURCES).catch(() => undefined);
      return answer?.status === 200 && listAt(answer.body, 'items').length === 0;
    });
  }

  // First of all: as long as nothing else is there, all reconciles are those of one resource.
  it('that are edited all the time are looked at twice a second, and end as they were edited last', async () => {
    await namespace.create('storm', gatewaySpec('storm'));
    await namespace.untilStatus('storm', 'HEALTHY');
    const before = await operator.reconciles();
    const startMs = performance.now();
    await edit('storm', SIZE.stormMs / 2);
    const [middle, middleMs] = [await operator.reconciles(), performance.now()];
    await edit('storm', SIZE.stormMs / 2);
    const [after, endMs] = [await operator.reconciles(), performance.now()];
    storm.looks = after - before;
    storm.sustained = ((after - middle) * 1_000) / (endMs - middleMs);
    // Whoever is edited like that takes nothing from the others.
    await adversary.beside(edit('storm', SIZE.stormMs / 2));

    await eventually('the last edit is in the Service', async () => {
      const service = await namespace.read(`/api/v1/namespaces/${POISON_NAMESPACE}/services/storm`);
      return at(service, 'metadata', 'annotations', 'edit') === String(storm.edits);
    });

    expect(storm.looks).to.be.above(0);
    expect(storm.looks).to.be.at.most(BURST + Math.ceil(((endMs - startMs) / 1_000) * LOOKS_PER_SECOND) + 1);
  });

  it('are told or refused, each by itself, and hold up nobody else', async () => {
    const calmMs = await editHealthy(1);
    const poisons = sample(POISONS, SIZE.poisons, random);
    const edits: number[] = [];
    for (let first = 0; first < poisons.length; first += AT_ONCE) {
      const batch = poisons.slice(first, first + AT_ONCE);
      const [took, ...results] = await Promise.all([
        editHealthy(first + 2),
        ...batch.map(async (each) => contain(each)),
      ]);
      edits.push(took);
      contained.push(...results);
    }
    counts = { 'slowest edit beside ms': Math.max(...edits), 'edit in peace ms': calmMs };

    expect(contained.length).to.equal(poisons.length);
    expect(uncontained()).to.deep.equal([]);
  });

  it('that are heavy but valid are installed, while drift elsewhere is repaired', async () => {
    const heavy = sample(HEAVY, SIZE.heavy, random);
    const install = async (each: Poison): Promise<Contained> => {
      const told = await contain(each, 'installed');
      await namespace.untilStatus(each.name, 'HEALTHY');
      return told;
    };

    contained.push(...(await adversary.beside(Promise.all(heavy.map(install)))));

    expect(uncontained()).to.deep.equal([]);
  });

  it('whose metadata or status others have written come to the right end', async () => {
    const ends = await adversary.beside(
      Promise.allSettled(Object.values(METADATA_POISONS).map(async (poisoned) => poisoned(namespace))),
    );

    const failed = Object.keys(METADATA_POISONS).flatMap((what, index) => {
      const end = ends[index];
      return end?.status === 'rejected' ? [`${what}: ${String(end.reason)}`] : [];
    });
    forged = ends.length - failed.length;
    expect(failed).to.deep.equal([]);
  });

  it('are told all when they come by the hundred', async () => {
    repairs.push(...adversary.takeRepairsMs());
    const crowd = Array.from({ length: SIZE.crowd }, (_, index) => `crowd-${index}`);
    const startMs = performance.now();
    await adversary.beside(createAll(crowd).then(async () => untilAllAreTold(crowd)));
    crowdedRepairs.push(...adversary.takeRepairsMs());
    counts = {
      ...counts,
      'crowd of': crowd.length,
      'crowd told ms': Math.round(performance.now() - startMs),
    };
  });

  it('can be deleted, all of them, and nothing that they installed stays', async () => {
    await deleteAll();

    const answer = await plane.api.request('GET', DEPLOYMENTS);
    expect(listAt(answer.body, 'items').map((item) => at(item, 'metadata', 'name'))).to.deep.equal([]);
  });

  it('leave the operator the process that it was, and quick', async () => {
    const slowest = slowestOf(contained);
    const installed = contained.filter(({ name }) => HEAVY.some((heavy) => heavy.name === name));
    const [late, peakMib] = [await operator.loopLate(), await operator.peakMib()];
    counts = {
      resources: contained.length,
      refused: contained.filter(({ kind }) => kind === 'refused').length,
      installed: installed.length,
      'of others': forged,
      'not contained': uncontained().length,
      restarts: operator.exitCode === null ? 0 : 1,
      'slowest status ms': slowest.tookMs,
      'slowest is': slowest.name,
      'loop late p99 ms': late.p99Ms,
      'loop late at most ms': late.maxMs,
      repairs: repairs.length + crowdedRepairs.length,
      'repaired in': spreadOf(repairs),
      'repaired beside the crowd in': spreadOf(crowdedRepairs),
      edits: storm.edits,
      looks: storm.looks,
      // A storm of some seconds is over before what may run at once has run.
      ...(run.tier === 2 ? { 'looks a second after the burst': storm.sustained.toFixed(1) } : {}),
      ...counts,
      'memory at most MiB': peakMib,
    };
    await recordProof(run, 'poison', {
      counts,
      isMet:
        uncontained().length === 0 &&
        (run.tier === 1 || (isWhole() && isQuick(late.p99Ms) && peakMib <= PEAK_MIB)),
    });

    expect(operator.exitCode).to.equal(null);
  });

  it('leave no trace in the prototypes that everything shares', async () => {
    const planner = createPlanner(await loadAssets());

    for (const { name, spec } of POISONS.filter((entry) => /key|prototype|constructor/.test(entry.name)))
      planner({
        layers: [{ spec: JSON.parse(spec), source: name }],
        facts: { kubernetesVersion: 'v1.34.4' },
      });

    const shared: object[] = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
    expect(shared.map((prototype) => Object.keys(prototype))).to.deep.equal([[], [], [], []]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).to.equal(false);
  });

  /** Whether nothing was left out. */
  function isWhole(): boolean {
    return contained.length === POISONS.length + HEAVY.length && crowdedRepairs.length > 0 && forged > 0;
  }

  /** What can only be told on a machine of one's own. */
  function isQuick(lateMs: number): boolean {
    // What is counted may begin and end within a pause.
    const looksPerSecond = LOOKS_PER_SECOND + 1 / (SIZE.stormMs / 2_000);
    return (
      slowestOf(contained).tookMs <= STATUS_MS &&
      lateMs <= LATE_MS &&
      Math.max(...repairs, ...crowdedRepairs) <= REPAIR_MS &&
      storm.sustained <= looksPerSecond
    );
  }

  /** Those that nobody was told about, and those that ended in a fault of ours. */
  function uncontained(): readonly string[] {
    return contained
      .filter(({ kind, reason }) => kind === 'untold' || reason === 'InternalError')
      .map(({ name }) => name);
  }
});
