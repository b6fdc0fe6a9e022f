/** etcd is put back to an earlier copy, as after the restore of a backup, while the operator goes on or is restarted. */
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { uidOf } from '../../src/model/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { apply, pathOf } from '../deploy/manifests.ts';
import { eventually, readObject } from '../operator/resources.ts';
import type { Tally } from './audit-trail.ts';
import type { Exchange } from './chaos-proxy.ts';
import { extraLives } from './audit-trail.ts';
import { differences } from './cluster-state.ts';
import { disturbed } from './disturbed.ts';
import type { Arrival, Station } from './fault-bench.ts';
import { FaultBench } from './fault-bench.ts';
import { readFaultRun, sample, seededRandom, whileTimeLasts } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { GONE, PLAIN, SCALED } from './stations.ts';

const run = readFaultRun(process.env);
const MINUTES = 60_000;
const SAMPLED_PLANS = 2;
const TARGET_PLANS = { 1: SAMPLED_PLANS, 2: 10 } as const;
/** More than all servers write while they start: the future that the watches saw is then still far away. */
const FAR = 600;
/** How long it may take until what is done right after is noticed. The machine may be busy. */
const NOTICED_MS = 20_000;
/** A part of the work on the way to another station is done after that, and rarely all. */
const MIDST_MS = 150;

interface Deed {
  readonly name: string;
  /** Where the copy is made, and what is there again in the end. */
  readonly from: Station;
  /** Where the cluster is led after it. */
  readonly to: Station;
  /** The copy lacks an object that was deleted by hand; it was made again since. */
  readonly isDriftCopied?: true;
  /** An object is deleted by hand after the copy, and made again. */
  readonly drifts?: true;
}

const DEEDS: readonly Deed[] = [
  { name: 'settings were changed, an object is deleted', from: SCALED, to: PLAIN },
  { name: 'settings were changed, an object is made', from: PLAIN, to: SCALED },
  { name: 'the resource was deleted', from: SCALED, to: GONE },
  { name: 'the resource was made', from: GONE, to: SCALED },
  { name: 'drift was repaired', from: SCALED, to: SCALED, drifts: true },
  { name: 'drift was copied', from: SCALED, to: SCALED, isDriftCopied: true },
];

/** What becomes of the process: the same all the time; killed before the restore; or a new one since the copy. */
type Fate = 'runs' | 'starts after' | 'started since';

interface Plan {
  readonly deed: Deed;
  readonly fate: Fate;
  /** Whether the resourceVersions go back by hundreds. */
  readonly isFar: boolean;
  /** Whether the operator is still at work on the way from the copy. */
  readonly isMidst: boolean;
}

const PLANS: readonly Plan[] = [
  ...DEEDS.flatMap((deed) => [
    { deed, fate: 'runs', isFar: false, isMidst: false } as const,
    { deed, fate: 'runs', isFar: true, isMidst: false } as const,
    { deed, fate: 'starts after', isFar: false, isMidst: false } as const,
  ]),
  ...DEEDS.slice(0, 4).map((deed) => ({ deed, fate: 'runs', isFar: false, isMidst: true }) as const),
  ...DEEDS.slice(0, 2).map((deed) => ({ deed, fate: 'started since', isFar: true, isMidst: false }) as const),
];

/** A sample has both ways to go wrong: watches that are silent, and watches that miss what happened before. */
const QUICK = PLANS.filter(({ fate, isMidst }) => fate === 'runs' && !isMidst);

function describePlan({ deed, fate, isFar, isMidst }: Plan): string {
  return `${deed.name}${isMidst ? ' (in the midst)' : ''}, the operator ${fate}, ${isFar ? 'far' : 'near'}`;
}

describe('a restore of etcd from a backup', () => {
  const counts = {
    restores: 0,
    differences: 0,
    'wrong deletions': 0,
    'unsound states': 0,
    'unwanted ends': 0,
    'slowest repair, ms': 0,
    'slowest change, ms': 0,
  };
  /** What is there after an installation, and after that of the first station became the other one. */
  const installed = new Map<Station, Arrival>();
  const changed = new Map<Station, Arrival>();
  let plane: ControlPlane;
  let bench: FaultBench;
  let turn = 0;

  before(async function open() {
    this.timeout(4 * MINUTES);
    plane = await startControlPlane({ audit: true });
    bench = await FaultBench.open(plane, { tag: 'rewind', elects: true });
    // The first round makes the definitions.
    for (const station of [SCALED, GONE]) installed.set(station, await bench.goTo(station));
    for (const station of [SCALED, PLAIN]) {
      installed.set(station, await bench.goTo(station));
      changed.set(station, await bench.goTo(nextAfter(station)));
      await bench.goTo(GONE);
    }
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    counts['unsound states'] = bench.resources.unsound.length;
    counts['unwanted ends'] = bench.operator.unwantedEnds;
    await bench.close();
    await plane.stop();
    const faults = counts.differences + counts['wrong deletions'] + counts['unsound states'];
    const isMet = counts.restores >= TARGET_PLANS[run.tier] && faults === 0 && counts['unwanted ends'] === 0;
    await recordProof(run, 'rewind', { counts, isMet });
  });

  /** Deletes an object behind the operator and awaits another one of its name; gives how long that took. */
  async function deleteAndAwait(): Promise<number> {
    const object = disturbed(turn);
    turn += 1;
    const old = await readObject(plane, object);
    const startMs = performance.now();
    await plane.api.request('DELETE', pathOf(object));
    await eventually(`${object.kind} ${object.metadata.name} is made again`, async () => {
      const present = await readObject(plane, object);
      return present !== undefined && uidOf(present) !== (old && uidOf(old));
    });
    return performance.now() - startMs;
  }

  async function copyOf({ from, isDriftCopied }: Deed): Promise<string> {
    // Who has which fields depends on the way.
    await bench.goTo(GONE);
    if (from !== GONE) await bench.goTo(from);
    if (isDriftCopied === undefined) return plane.snapshot();
    let copy = '';
    await bench.operator.crashAround(async () => {
      await plane.api.request('DELETE', pathOf(disturbed(turn)));
      copy = await plane.snapshot();
    });
    turn += 1;
    return copy;
  }

  async function leave({ deed, isFar, isMidst, fate }: Plan): Promise<void> {
    if (fate === 'started since') bench.operator.crash();
    if (isMidst) {
      await bench.depart(deed.to);
      await delay(MIDST_MS);
      return;
    }
    await bench.goTo(deed.to);
    if (deed.drifts === true) await deleteAndAwait();
    if (isFar) await writeMuch();
  }

  /** Moves the resourceVersions of the cluster by something that concerns nobody. */
  async function writeMuch(): Promise<void> {
    for (let count = 0; count < FAR; count += 1) {
      const metadata = { name: 'counter', namespace: 'default' };
      await apply(plane.api, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { count: `${count}` } });
    }
  }

  async function restore({ deed, fate }: Plan, copy: string): Promise<void> {
    const looks = fate === 'starts after' ? 0 : bench.operator.count('reconciled');
    const rewind = async (): Promise<void> => plane.rewind(copy, async () => bench.trail.skip());
    const restoredMs = performance.now();
    if (fate === 'starts after') await bench.operator.crashAround(rewind);
    else await rewind();
    bench.resources.forgetObserved();
    counts.restores += 1;
    await eventually('the resources are listed anew', async () =>
      bench.proxy.log.some(isListSince(restoredMs)),
    );
    // What the copy says may be what was right before: only who has looked knows.
    if (deed.from !== GONE)
      await eventually('the operator has looked', async () => bench.operator.count('reconciled') > looks);
  }

  /** What is wrong after the restore, with all that was done since. */
  async function judge({ deed }: Plan): Promise<readonly string[]> {
    const arrival = await bench.arrive(deed.from);
    const expected = installed.get(deed.from) ?? arrival;
    const made =
      deed.isDriftCopied === true ? allowed(arrival.tally, /^create /, 1) : allowed(arrival.tally, /^$/, 0);
    const lives = extraLives(made, arrival.tally);
    counts['wrong deletions'] += lives.filter((life) => life.startsWith('delete')).length;
    return [...differences(expected.state, arrival.state), ...lives];
  }

  /** Whether it follows what happens from then on: an object that goes, and another wish. */
  async function goOn({ deed }: Plan): Promise<readonly string[]> {
    const isThere = deed.from.spec !== undefined;
    const repairMs = isThere ? await deleteAndAwait() : 0;
    if (isThere) await bench.reached(deed.from);
    const next = nextAfter(deed.from);
    const startMs = performance.now();
    await bench.depart(next);
    await bench.reached(next);
    const changeMs = performance.now() - startMs;
    note('slowest repair, ms', repairMs);
    note('slowest change, ms', changeMs);
    await bench.quiet();
    const arrival = await bench.look();
    const late = repairMs > NOTICED_MS || changeMs > NOTICED_MS ? ['what came after was noticed late'] : [];
    const expected = (isThere ? changed.get(deed.from) : installed.get(next)) ?? arrival;
    return [...differences(expected.state, arrival.state), ...late];
  }

  function note(what: 'slowest repair, ms' | 'slowest change, ms', ms: number): void {
    counts[what] = Math.max(counts[what], Math.round(ms));
  }

  async function tryPlan(plan: Plan): Promise<readonly string[]> {
    const copy = await copyOf(plan.deed);
    await leave(plan);
    await restore(plan, copy);
    const found = [...(await judge(plan)), ...(await goOn(plan))];
    return found.map((line) => `${describePlan(plan)}: ${line}`);
  }

  it('is noticed, and ends in what the copy asks for', async function matrix() {
    this.timeout(40 * MINUTES);
    const random = seededRandom(run.seed);
    const size = run.trials ?? (run.tier === 1 ? SAMPLED_PLANS : PLANS.length);
    const plans = sample(run.tier === 1 ? QUICK : PLANS, size, random);
    const found: string[] = [];
    for (const plan of whileTimeLasts(plans, run)) {
      // The next plan begins anew, so that one failure does not hide others.
      found.push(
        ...(await tryPlan(plan).catch((error: unknown) => [`${describePlan(plan)}: ${String(error)}`])),
      );
    }

    counts.differences = found.length;
    expect(found).to.deep.equal([]);
    expect(bench.resources.unsound).to.deep.equal([]);
  });
});

/** Whether a request listed the IstioOperators after that time, and was answered. */
function isListSince(sinceMs: number): (exchange: Exchange) => boolean {
  return ({ request, status, startedMs }) =>
    request.class === 'list' &&
    request.url.includes('/istiooperators') &&
    startedMs >= sinceMs &&
    status === 200;
}

/** Where it goes on from a station. */
function nextAfter(station: Station): Station {
  return station === SCALED ? PLAIN : SCALED;
}

/** So many lives of that sort as there were, but no more than that. */
function allowed({ lives }: Tally, pattern: RegExp, most: number): Tally {
  const matching = [...lives].filter(([life]) => pattern.test(life)).slice(0, most);
  return { lives: new Map(matching.map(([life]) => [life, 1])), writes: 0 };
}
