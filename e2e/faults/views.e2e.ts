/**
 * What the operator sees is not what is: a restarted one is shown lists of the past, and a running one gets its events
 * late, or never and then a list anew. It may do work twice, but nothing that is wanted may be deleted, and the end must
 * be that of an undisturbed run.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { API_RESOURCES } from '../../scripts/rendered-kinds.ts';
import { storedStatus } from '../../src/controller/resource.ts';
import { mapAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { pathOf } from '../deploy/manifests.ts';
import { readObject } from '../operator/resources.ts';
import type { ApiRequest } from './api-request.ts';
import { readRequest } from './api-request.ts';
import { PASSER_BY } from './canonical-form.ts';
import type { RecordedLists } from './chaos-proxy.ts';
import { differences } from './cluster-state.ts';
import type { Arrival, Station } from './fault-bench.ts';
import { deviations, FaultBench, NAMESPACE, RESOURCE } from './fault-bench.ts';
import { readFaultRun, sample, seededRandom, toldAtOnce, whileTimeLasts } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { PLAIN, SCALED, UNBUDGETED } from './stations.ts';
import type { WatchVerdict } from './watch-filter.ts';

const run = readFaultRun(process.env);
const MINUTES = 60_000;
/** In tier 1 that many of each of the three kinds of plans. */
const SAMPLED = 6;
const MEDDLINGS_OF_TIER_2 = 80;
const TARGET_PLANS = { 1: 3 * SAMPLED, 2: 100 } as const;

const STATIONS = [SCALED, PLAIN, UNBUDGETED] as const;
const inNamespace = { namespace: NAMESPACE };
const SERVICE: K8sObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'istiod', ...inNamespace },
};
const MESH: K8sObject = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  metadata: { name: RESOURCE, ...inNamespace },
};
const WITHOUT_FINALIZERS = { metadata: { finalizers: null } };

/** The lists of which resources are old, or the events of which are tampered with; `*` for all. */
const RESOURCES = [
  '*',
  'istiooperators',
  'deployments',
  'configmaps',
  'horizontalpodautoscalers',
  'poddisruptionbudgets',
  'clusterroles',
  'mutatingwebhookconfigurations',
] as const;

type Resource = (typeof RESOURCES)[number];

/** What is seen: the past by whoever is restarted, or the events of the way to a station by whoever runs. */
interface View {
  readonly resource: Resource;
  /** The station whose lists are shown. */
  readonly past: Station;
  readonly present: Station;
}

/** `drop` is a gap: the events are lost, and the next watch is told to list anew. */
const MEDDLINGS = ['hold', 'drop', 'gone', 'half', 'cut'] as const satisfies readonly WatchVerdict[];

interface Meddling {
  readonly resource: Resource;
  readonly verdict: (typeof MEDDLINGS)[number];
  readonly from: Station;
  readonly to: Station;
}

/** Ordered pairs of stations. */
const WAYS = STATIONS.flatMap((from) => STATIONS.filter((to) => to !== from).map((to) => ({ from, to })));

function nameOf({ from, to }: { readonly from: Station; readonly to: Station }): string {
  return `${from.name} to ${to.name}`;
}

const VIEWS: readonly View[] = WAYS.flatMap(({ from, to }) =>
  RESOURCES.map((resource) => ({ resource, past: from, present: to })),
);

const MEDDLING_PLANS: readonly Meddling[] = WAYS.flatMap(({ from, to }) =>
  RESOURCES.flatMap((resource) => MEDDLINGS.map((verdict) => ({ resource, verdict, from, to }))),
);

/** Verdicts that go on until the end of the blindness. */
const LASTING: ReadonlySet<WatchVerdict> = new Set(['hold', 'drop']);
/** What happens while the operator sees nothing, and is as it was, or looks so, when it sees again. */
interface Interlude {
  readonly name: string;
  readonly happens: (bench: FaultBench) => Promise<void>;
}

const LABEL = { metadata: { labels: { app: 'drifted' } } };

function unseenDeletion(object: K8sObject): Interlude {
  return {
    name: `deletion of ${object.kind} ${object.metadata.name}`,
    happens: async ({ plane }) => void (await plane.api.request('DELETE', pathOf(object))),
  };
}

/** Taken back before it was seen, or made anew under the same name. */
const UNDONE: readonly Interlude[] = [
  {
    name: 'there and back',
    happens: async (bench) => {
      await bench.depart(PLAIN);
      await bench.depart(SCALED);
    },
  },
  {
    name: 'edit and undo',
    happens: async ({ plane }) => {
      const was = await readObject(plane, SERVICE);
      const undo = { metadata: { labels: mapAt(was ?? {}, 'metadata', 'labels') } };
      const path = `${pathOf(SERVICE)}?fieldManager=${PASSER_BY}`;
      for (const patch of [LABEL, undo])
        await plane.api.request('PATCH', path, patch, 'application/merge-patch+json');
    },
  },
  {
    name: 'resource made anew',
    happens: async (bench) => {
      const path = pathOf(MESH);
      await bench.resources.delete(RESOURCE);
      await bench.plane.api.request('PATCH', path, WITHOUT_FINALIZERS, 'application/merge-patch+json');
      await bench.resources.untilGone(RESOURCE);
      await bench.depart(SCALED);
    },
  },
];

/** Seen late, or never and then in a list. */
const GAPS = ['hold', 'drop'] as const;

/** How long the operator sees nothing: longer than its work takes. */
const BLIND_MS = 1_000;
/** How long it may take to make good what an old view led it to. */
const SETTLE_MS = 30_000;

const RESOURCE_OF_KIND: Readonly<Record<string, { readonly resource: string }>> = API_RESOURCES;

/** How the deletion of an object stands in a tally. */
function deletionOf(identity: string): string {
  const [, kind = '', namespace = '', name = ''] = identity.split('/');
  return `delete ${RESOURCE_OF_KIND[kind]?.resource ?? kind} ${namespace}/${name}`;
}

describe('a view that is not the truth', () => {
  const random = seededRandom(run.seed);
  const counts = {
    'stale views': 0,
    'unobserved views': 0,
    'unseen and undone': 0,
    differences: 0,
    'unwanted ends': 0,
  };
  const lists = new Map<Station, RecordedLists>();
  /** The undisturbed ways: what is made and deleted depends on where one comes from. */
  const references = new Map<string, Arrival>();
  let bench: FaultBench;

  before(async function open() {
    this.timeout(5 * MINUTES);
    bench = await FaultBench.open(await sharedControlPlane(), { tag: 'views' });
    // The first round makes the definitions.
    for (const station of STATIONS) await bench.goTo(station);
    for (const way of WAYS) {
      await bench.goTo(way.from);
      references.set(nameOf(way), await bench.goTo(way.to));
    }
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    await bench.close();
    counts['unwanted ends'] = bench.operator.unwantedEnds;
    const plans = counts['stale views'] + counts['unobserved views'] + counts['unseen and undone'];
    const isMet = plans >= TARGET_PLANS[run.tier] && counts.differences === 0;
    await recordProof(run, 'views', { counts, isMet });
  });

  function chosen<T>(plans: readonly T[], inTier2: number): readonly T[] {
    return sample(plans, run.tier === 1 ? SAMPLED : inTier2, random);
  }

  function concerns(resource: Resource, request: ApiRequest): boolean {
    return resource === '*' || request.resource === resource;
  }

  /** What a restarted operator reads at that station. */
  async function recordAt(station: Station): Promise<RecordedLists> {
    await bench.goTo(station);
    const recorded = bench.proxy.recordLists();
    bench.operator.crash();
    await bench.operator.untilItLooked();
    bench.proxy.stopRecording();
    return recorded;
  }

  /** Deletions of what is wanted at a station. */
  function wrongDeletions({ state }: Arrival, { tally }: Arrival): readonly string[] {
    const wanted = new Set([...state.keys()].map(deletionOf));
    return [...tally.lives.keys()]
      .filter((life) => wanted.has(life))
      .map((life) => `${life}, which is wanted`);
  }

  /** What is made from an old wish may be made and deleted again; what is wanted now may not be. */
  async function tryView({ resource, past, present }: View): Promise<readonly string[]> {
    const reference = await bench.goTo(present);
    const old = [...(lists.get(past) ?? [])].filter(([url]) =>
      concerns(resource, readRequest({ method: 'GET', url })),
    );
    bench.proxy.filterWatches((_event, watch) => (concerns(resource, watch) ? 'hold' : 'pass'));
    await bench.operator.crashAround(async () => {
      await bench.trail.skip();
      bench.proxy.playLists(new Map(old));
    });
    await bench.operator.untilItLooked();
    bench.proxy.calm();
    const arrival = await settled(reference);
    counts['stale views'] += 1;
    const found = [...differences(reference.state, arrival.state), ...wrongDeletions(reference, arrival)];
    return toldAtOnce(found.map((line) => `${resource} of ${past.name} seen at ${present.name}: ${line}`));
  }

  /** The cluster once it is as expected, or as it is when that does not come. */
  async function settled(reference: Arrival): Promise<Arrival> {
    const { tally } = await bench.look();
    const deadlineMs = performance.now() + SETTLE_MS;
    for (;;) {
      await bench.quiet();
      const { state } = await bench.look();
      if (differences(reference.state, state).length === 0 || performance.now() > deadlineMs)
        return { state, tally, writes: [] };
    }
  }

  async function tryMeddling({ resource, verdict, from, to }: Meddling): Promise<readonly string[]> {
    await bench.goTo(from);
    const struck = new Set<string>();
    bench.proxy.filterWatches((_event, watch) => {
      if (!concerns(resource, watch)) return 'pass';
      const isFirst = !struck.has(watch.resource);
      struck.add(watch.resource);
      return isFirst || LASTING.has(verdict) ? verdict : 'pass';
    });
    await bench.depart(to);
    await delay(BLIND_MS);
    bench.proxy.calm();
    if (verdict === 'drop') relist(struck);
    const arrival = await bench.arrive(to);
    counts['unobserved views'] += 1;
    const found = deviations(references.get(nameOf({ from, to })) ?? arrival, arrival);
    return toldAtOnce(found.map((line) => `${verdict} ${resource} from ${from.name} to ${to.name}: ${line}`));
  }

  /** Lets something happen at a station in a gap of all watches; what is wanted there must be there in the end. */
  async function tryInterlude(
    { name, happens }: Interlude,
    verdict: 'hold' | 'drop',
  ): Promise<readonly string[]> {
    const reference = await bench.goTo(SCALED);
    const struck = new Set<string>();
    bench.proxy.filterWatches((_event, watch) => {
      struck.add(watch.resource);
      return verdict;
    });
    await happens(bench);
    await bench.trail.skip();
    await delay(BLIND_MS);
    bench.proxy.calm();
    if (verdict === 'drop') relist(struck);
    const arrival = await settled(reference);
    counts['unseen and undone'] += 1;
    const found = [...differences(reference.state, arrival.state), ...wrongDeletions(reference, arrival)];
    return toldAtOnce(found.map((line) => `${verdict}, ${name}: ${line}`));
  }

  /** Everything of an installation that is made again when it is deleted, definitions aside. */
  async function unseenDeletions(): Promise<readonly Interlude[]> {
    await bench.goTo(SCALED);
    const { inventory = [] } = storedStatus(await bench.resources.read(RESOURCE)) ?? {};
    return inventory
      .filter(({ kind }) => kind !== 'CustomResourceDefinition')
      .map(({ apiVersion, kind, name, namespace }) =>
        unseenDeletion({
          apiVersion,
          kind,
          metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
        }),
      );
  }

  /** Ends the watches with a gap in them: events are only ever missed by who has to list anew. */
  function relist(resources: ReadonlySet<string>): void {
    for (const resource of resources) {
      bench.proxy.arm({
        when: (request) => request.class === 'watch' && request.resource === resource,
        fault: { kind: 'status', code: 410, reason: 'Expired' },
      });
    }
    bench.proxy.cutWatches();
  }

  it('of the past, after a restart, harms nothing that is wanted', async function stale() {
    this.timeout(40 * MINUTES);
    for (const station of STATIONS) lists.set(station, await recordAt(station));
    const found: string[] = [];
    bench.resources.isPastShown = true;
    for (const view of whileTimeLasts(chosen(VIEWS, VIEWS.length), run)) found.push(...(await tryView(view)));
    // By the second change it has seen the present for sure.
    for (const station of [PLAIN, SCALED]) await bench.goTo(station);
    bench.resources.isPastShown = false;

    counts.differences += found.length;
    expect(found).to.deep.equal([]);
  });

  it('of what was undone, or of a deletion, before it was seen ends as if nothing had happened', async function undone() {
    this.timeout(20 * MINUTES);
    const interludes = [...UNDONE, ...(await unseenDeletions())];
    const plans = interludes.flatMap((interlude) => GAPS.map((gap) => ({ interlude, gap })));
    const found: string[] = [];
    for (const { interlude, gap } of whileTimeLasts(chosen(plans, plans.length), run))
      found.push(...(await tryInterlude(interlude, gap)));

    counts.differences += found.length;
    expect(found).to.deep.equal([]);
  });

  it('with events that come late, or are lost before a list, changes nothing in the end', async function unobserved() {
    this.timeout(40 * MINUTES);
    const found: string[] = [];
    for (const meddling of whileTimeLasts(chosen(MEDDLING_PLANS, MEDDLINGS_OF_TIER_2), run))
      found.push(...(await tryMeddling(meddling)));

    counts.differences += found.length;
    expect(found).to.deep.equal([]);
  });
});
