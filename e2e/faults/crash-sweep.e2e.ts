/**
 * Kills the operator before and after every write of its work, one write at a time, and compares where it ends with
 * where it ends undisturbed. A journey goes round and round through its stations, so that each way is tried again and
 * again without setting up anything: the end of one trial is the beginning of the next.
 */
import { expect } from 'chai';
import { sharedControlPlane } from '../control-plane/shared.ts';
import type { CrashPlan } from './crash-plan.ts';
import { chosenPlans, describePlan, doubledPlans } from './crash-plan.ts';
import type { Arrival, Station } from './fault-bench.ts';
import { deviations, FaultBench, isStep, keyOf, within } from './fault-bench.ts';
import type { ArmedRule } from './fault-rule.ts';
import { readFaultRun, seededRandom, toldAtOnce, whileTimeLasts } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { GONE, PLAIN, SCALED } from './stations.ts';

interface Journey {
  readonly name: string;
  readonly stations: readonly [Station, ...Station[]];
  /** Plans for each way in tier 1, where a journey without any is left out; in tier 2 all. */
  readonly sampled: number;
}

const JOURNEYS: readonly Journey[] = [
  { name: 'change of settings, with one object more or less', stations: [SCALED, PLAIN], sampled: 4 },
  {
    name: 'installation and deletion of demo',
    stations: [{ name: 'demo', spec: { profile: 'demo' } }, GONE],
    sampled: 3,
  },
  {
    name: 'change of profile and prune',
    stations: [
      { name: 'minimal', spec: { profile: 'minimal' } },
      { name: 'default', spec: { profile: 'default' } },
    ],
    sampled: 2,
  },
  {
    name: 'upgrade from line to line, and back',
    stations: [
      { name: '1.29', spec: { profile: 'minimal', tag: '1.29.6' } },
      { name: '1.30', spec: { profile: 'minimal', tag: '1.30.3' } },
    ],
    sampled: 2,
  },
  {
    name: 'installation and deletion of a revision with a tag',
    stations: [
      {
        name: 'revision',
        spec: { profile: 'minimal', revision: 'canary', values: { revisionTags: ['prod'] } },
      },
      GONE,
    ],
    sampled: 0,
  },
  {
    name: 'installation and deletion of ambient',
    stations: [{ name: 'ambient', spec: { profile: 'ambient' } }, GONE],
    sampled: 0,
  },
];

interface Trial {
  readonly isStruck: boolean;
  readonly found: readonly string[];
}

/** A write that is over by then was not among those of this run, such as one more word of progress. */
const STRIKE_MS = 600;
const MINUTES = 60_000;
const TARGET_PLANS = { 1: 22, 2: 600 } as const;
/** Plans with two crashes, for each way. */
const DOUBLED = { 1: 1, 2: 10 } as const;

const run = readFaultRun(process.env);

describe('a crash at every write', () => {
  const random = seededRandom(run.seed);
  const counts = {
    plans: 0,
    'with a second crash': 0,
    unreached: 0,
    differences: 0,
    'writes of restarts': 0,
    'unwanted ends': 0,
  };
  let bench: FaultBench;

  before(async function open() {
    this.timeout(5 * MINUTES);
    bench = await FaultBench.open(await sharedControlPlane(), { tag: 'crash-sweep' });
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    await bench.close();
    counts['unwanted ends'] = bench.operator.unwantedEnds;
    const isMet = counts.plans >= TARGET_PLANS[run.tier] && counts.differences === 0;
    await recordProof(run, 'crashes', { counts, isMet });
  });

  /** The crash that the plan asks for, and how often it or the one after it has struck. */
  function armCrashes({ moment, write, occurrence, again }: CrashPlan): () => number {
    let second: ArmedRule | undefined;
    const crash = (): void => {
      if (again !== undefined)
        second = bench.proxy.arm({
          when: isStep,
          nth: again.nth,
          fault: { kind: again.moment, crash: () => bench.operator.crash() },
        });
      bench.operator.crash();
    };
    const first = bench.proxy.arm({
      when: (request) => request.isWrite && keyOf(request) === write,
      nth: occurrence,
      fault: { kind: moment, crash },
    });
    return () => first.strikes + (second?.strikes ?? 0);
  }

  /** Goes to a station with one crash on the way, or two. */
  async function tryPlan(station: Station, plan: CrashPlan, reference: Arrival): Promise<Trial> {
    const strikes = armCrashes(plan);
    await bench.depart(station);
    await bench.reached(station);
    const isStruck = await within(STRIKE_MS, () => strikes() > 0);
    bench.proxy.calm();
    if (isStruck && station.spec !== undefined) await bench.operator.untilItLooked();
    const arrival = await bench.arrive(station);
    if (isStruck) counts.plans += 1;
    if (strikes() > 1) counts['with a second crash'] += 1;
    const found = deviations(reference, arrival);
    return {
      isStruck,
      found: toldAtOnce(found.map((line) => `${station.name}, ${describePlan(plan)}: ${line}`)),
    };
  }

  /** The same once more when its write was not reached: most often it was one word of progress fewer than undisturbed. */
  async function tryNext(
    station: Station,
    waiting: CrashPlan[],
    { missed, arrival }: { readonly missed: Set<CrashPlan>; readonly arrival: Arrival },
  ): Promise<readonly string[]> {
    const plan = waiting.shift();
    if (plan === undefined) {
      await bench.goTo(station);
      return [];
    }
    const { isStruck, found } = await tryPlan(station, plan, arrival);
    if (isStruck) return found;
    if (missed.has(plan)) counts.unreached += 1;
    else waiting.push(plan);
    missed.add(plan);
    return found;
  }

  /** Once around for the first time (definitions are made), once for the reference, and once to see that it holds. */
  async function references(stations: Journey['stations']): Promise<ReadonlyMap<Station, Arrival>> {
    const arrivals = new Map<Station, Arrival>();
    for (const station of [...stations, ...stations]) arrivals.set(station, await bench.goTo(station));
    for (const station of stations) {
      const again = await bench.goTo(station);
      const expected = arrivals.get(station) ?? again;
      expect(deviations(expected, again), `an undisturbed way to ${station.name}, repeated`).to.deep.equal(
        [],
      );
    }
    return arrivals;
  }

  for (const { name, stations, sampled } of JOURNEYS.filter(
    (journey) => run.tier === 2 || journey.sampled > 0,
  )) {
    it(`changes nothing in the end: ${name}`, async function sweep() {
      this.timeout(60 * MINUTES);
      const found: string[] = [];
      const reference = await references(stations);
      const count = run.tier === 1 ? sampled : undefined;
      const waiting = new Map(
        [...reference].map(([station, { writes }]) => [
          station,
          [...chosenPlans(writes, count, random), ...doubledPlans(writes, DOUBLED[run.tier], random)],
        ]),
      );
      const rounds = Math.max(...[...waiting.values()].map(({ length }) => length));
      const missed = new Set<CrashPlan>();
      for (const round of whileTimeLasts([...Array(2 * rounds).keys()], run)) {
        if ([...waiting.values()].every(({ length }) => length === 0)) break;
        for (const [station, arrival] of reference)
          found.push(...(await tryNext(station, waiting.get(station) ?? [], { missed, arrival })));
        if (run.tier === 2 && round % 20 === 0) console.log(`    round ${round + 1} of ${rounds}`, counts);
      }
      counts.differences += found.length;
      // Where everything is gone, a restarted operator finds nothing to look at.
      await bench.goTo(stations[0]);
      const restarted = await bench.writesOfRestart();

      counts['writes of restarts'] += restarted;
      expect(found).to.deep.equal([]);
      expect([restarted, bench.operator.unwantedEnds]).to.deep.equal([0, 0]);
    });

    afterEach(async function clear() {
      this.timeout(2 * MINUTES);
      bench.proxy.calm();
      await bench.resources.clear();
    });
  }
});
