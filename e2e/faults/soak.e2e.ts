/**
 * Slow churn for a long time: whatever is left behind by an edit, a repair, a visit or a broken watch piles up. Each
 * round does all of it once; what the process holds is measured from inside after each.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { NODE_FLAGS } from '../../scripts/image/node-flags.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { at } from '../../src/model/json.ts';
import { uidOf } from '../../src/model/object.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { pathOf } from '../deploy/manifests.ts';
import { eventually, readObject } from '../operator/resources.ts';
import type { ApiRequest } from './api-request.ts';
import { disturbed, DISTURBED } from './disturbed.ts';
import { FaultBench, NAMESPACE, RESOURCE } from './fault-bench.ts';
import { readFaultRun } from './fault-run.ts';
import type { Counts } from './figures.ts';
import { recordProof } from './figures.ts';
import type { SoakSample, SoakTrend } from './soak-samples.ts';
import { CONSTANT_SIGNS, leaksOf, trendOf } from './soak-samples.ts';
import { PLAIN, SCALED } from './stations.ts';
import type { VitalSigns } from './vital-signs.port.ts';

const run = readFaultRun(process.env);
const MINUTES = 60_000;
/** At this pace no field and no object is disturbed often enough to count as contested. */
const ROUND_MS = { 1: 3_000, 2: 10_000 } as const;
const REST_MS = { 1: 2_000, 2: 60_000 } as const;
/** A trend needs some points after the warm-up, however slow the machine is. */
const LEAST_ROUNDS = 4;
/** The target of the proof. */
const TARGET_MINUTES = 60;
const MIB_PER_HOUR = 1;
const VISITOR = 'visitor';
/** As the image and deploy/operator.yaml have them, and with what the measuring needs. */
const OPERATOR_FLAGS = [
  ...NODE_FLAGS,
  '--max-old-space-size=160',
  '--max-semi-space-size=2',
  '--disallow-code-generation-from-strings',
  '--expose-gc',
  '--no-warnings',
  `--import=${new URL('vital-signs.ts', import.meta.url).href}`,
];

const EDITED_LABEL = 'app';
const VISIT: JsonObject = {
  profile: 'empty',
  components: {
    ingressGateways: [{ name: VISITOR, namespace: NAMESPACE, enabled: true, label: { istio: VISITOR } }],
  },
};

/** The next watch of each resource only: one that was told twice in a row has reason to wait. */
function firstWatches(): (request: ApiRequest) => boolean {
  const seen = new Set<string>();
  return ({ class: type, resource }) => {
    if (type !== 'watch' || seen.has(resource)) return false;
    seen.add(resource);
    return true;
  };
}

/** Whether a run of tier 2 reached the target of the proof. */
function isSteady({ heldMibPerHour, growth }: SoakTrend, minutes: number): boolean {
  const hasGrown = Object.values(growth).some((grown) => grown > 0);
  return minutes >= TARGET_MINUTES && heldMibPerHour <= MIB_PER_HOUR && !hasGrown;
}

/** Of less than some minutes they would be noise. */
function slopesOf({ heldMibPerHour, residentMibPerHour }: SoakTrend): Counts {
  return {
    'held MiB an hour': heldMibPerHour.toFixed(1),
    'resident MiB an hour': residentMibPerHour.toFixed(1),
  };
}

describe('a soak', () => {
  const samples: SoakSample[] = [];
  let bench: FaultBench;

  before(async function open() {
    this.timeout(5 * MINUTES);
    bench = await FaultBench.open(await sharedControlPlane(), { tag: 'soak', nodeFlags: OPERATOR_FLAGS });
    await bench.goTo(SCALED);
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    await bench.close();
  });

  async function edit(round: number): Promise<void> {
    const station = round % 2 === 0 ? PLAIN : SCALED;
    await bench.depart(station);
    await bench.reached(station);
  }

  /** By turns without a word, and such that they have to list anew. Returns how many there were. */
  function breakWatches(round: number): number {
    const broken = bench.proxy.cutWatches();
    const fault = { kind: 'status', code: 410, reason: 'Expired' } as const;
    if (round % 2 === 1) bench.proxy.arm({ when: firstWatches(), times: broken, fault });
    return broken;
  }

  async function drift(round: number): Promise<void> {
    const { plane } = bench;
    const object = disturbed(round);
    const labelOf = async (): Promise<unknown> =>
      at(await readObject(plane, object), 'metadata', 'labels', EDITED_LABEL);
    const wanted = await labelOf();
    const patch = { metadata: { labels: { [EDITED_LABEL]: 'drifted' } } };
    await plane.api.request('PATCH', pathOf(object), patch, 'application/merge-patch+json');
    await eventually('the label is as it was', async () => (await labelOf()) === wanted);
  }

  async function deletion(round: number): Promise<void> {
    const { plane } = bench;
    const object = disturbed(round + Math.floor(DISTURBED.length / 2));
    const uid = async (): Promise<string | undefined> => {
      const present = await readObject(plane, object);
      return present === undefined ? undefined : uidOf(present);
    };
    const old = await uid();
    await plane.api.request('DELETE', pathOf(object));
    await eventually('it is made again', async () => ![old, undefined].includes(await uid()));
  }

  async function visit(): Promise<void> {
    await bench.resources.apply(VISITOR, VISIT);
    await bench.resources.until(VISITOR, 'HEALTHY');
    await bench.resources.delete(VISITOR);
    await bench.resources.untilGone(VISITOR);
  }

  async function measure(): Promise<SoakSample> {
    const signs = JSON.parse(await bench.operator.report('SIGUSR2')) as VitalSigns; // what vital-signs.ts writes
    return { ...signs, atMs: performance.now() };
  }

  async function pass(round: number): Promise<void> {
    const endMs = performance.now() + ROUND_MS[run.tier];
    await edit(round);
    const broken = breakWatches(round);
    await drift(round);
    await deletion(round);
    await visit();
    await settle(broken);
    samples.push(await measure());
    await delay(Math.max(0, endMs - performance.now()));
  }

  /** As after every other round: nothing is under way, and all watches are back. */
  async function settle(watches: number): Promise<void> {
    bench.proxy.calm();
    await eventually('all watches are open', async () => bench.proxy.openWatches >= watches);
    await bench.resources.until(RESOURCE, 'HEALTHY');
    await bench.quiet();
  }

  async function writesAtRest(): Promise<number> {
    await bench.trail.skip();
    await delay(REST_MS[run.tier]);
    return (await bench.trail.take()).writes;
  }

  it('of all that happens to an installation leaves nothing behind', async function soak() {
    this.timeout(run.soakMs + 10 * MINUTES);
    const startMs = performance.now();
    const elapsedMs = (): number => performance.now() - startMs;
    for (let round = 0; elapsedMs() < run.soakMs || round < LEAST_ROUNDS; round += 1) await pass(round);
    const minutes = Math.floor(elapsedMs() / MINUTES);
    const writes = await writesAtRest();

    const trend = trendOf(samples);
    const faults = { writes, unwantedEnds: bench.operator.unwantedEnds, leaks: leaksOf(samples) };
    const isSound = faults.writes === 0 && faults.unwantedEnds === 0 && faults.leaks.length === 0;
    const counts = { minutes, ...countsOf(trend), 'writes at rest': writes };
    await recordProof(run, 'soak', {
      counts,
      isMet: isSound && (run.tier === 1 || isSteady(trend, minutes)),
    });
    expect(faults).to.deep.equal({ writes: 0, unwantedEnds: 0, leaks: [] });
    if (minutes >= TARGET_MINUTES) expect(trend.heldMibPerHour).to.be.at.most(MIB_PER_HOUR);
  });

  function countsOf(trend: SoakTrend): Counts {
    return {
      rounds: samples.length,
      reconciles: bench.operator.count('reconciled'),
      'held MiB': (samples.at(-1)?.heldMib ?? 0).toFixed(1),
      ...(run.tier === 2 ? slopesOf(trend) : {}),
      ...Object.fromEntries(CONSTANT_SIGNS.map((sign) => [`more ${sign}`, trend.growth[sign]])),
      'loop late ms (p99)': Math.round(trend.loopLateMs),
      'unwanted ends': bench.operator.unwantedEnds,
    };
  }
});
