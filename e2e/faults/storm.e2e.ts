/**
 * The API server refuses everything for a while, as one does that is overloaded or behind a broken balancer. Nothing may
 * be made worse by asking again and again, and the work goes on as soon as it is over.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import type { ApiRequest } from './api-request.ts';
import type { Arrival, Station } from './fault-bench.ts';
import { deviations, FaultBench } from './fault-bench.ts';
import type { Fault } from './fault-rule.ts';
import { readFaultRun, toldAtOnce } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { PLAIN, SCALED } from './stations.ts';

const run = readFaultRun(process.env);
const MINUTES = 60_000;
const STORM_MS = { 1: 6_000, 2: 30_000 } as const;
/** Of the work: one a second for each of the operator's workers, and what three resources ask for at once. */
const MOST_REQUESTS = { 1: 60, 2: 120 } as const;
/** Who looks whether the server is back does so twice a second, all watches together; each has a few tries of its own. */
const WATCHING: ReadonlySet<string> = new Set(['list', 'watch', 'lease']);
/** The longest pause of a back-off that has grown in the storm. */
const RESUMED_MS = 5_000;
/** Each with a change that waits, beside the one that is led from station to station. */
const OTHERS = ['second', 'third'] as const;

interface Storm {
  readonly name: string;
  readonly fault: Fault;
}

const STORMS: readonly Storm[] = [
  { name: '429 with Retry-After', fault: { kind: 'status', code: 429, retryAfterS: 1 } },
  { name: '429', fault: { kind: 'status', code: 429 } },
  { name: '503', fault: { kind: 'status', code: 503, reason: 'ServiceUnavailable' } },
  { name: 'reset', fault: { kind: 'reset' } },
];

/** Watches that are open stay so; new ones are refused as all else. */
const everything = (_request: ApiRequest): boolean => true;

function gateway(name: string, cpu: string): JsonObject {
  const k8s = { resources: { requests: { cpu } } };
  return {
    profile: 'empty',
    components: { ingressGateways: [{ name, enabled: true, label: { istio: name }, k8s }] },
  };
}

describe('a storm of refusals', () => {
  const counts = {
    storms: 0,
    differences: 0,
    'most requests of work': 0,
    'most requests': 0,
    'slowest to resume, ms': 0,
  };
  const references = new Map<Station, Arrival>();
  let bench: FaultBench;

  before(async function open() {
    this.timeout(4 * MINUTES);
    bench = await FaultBench.open(await sharedControlPlane(), { tag: 'storm', elects: true });
    for (const station of [SCALED, PLAIN, SCALED, PLAIN]) {
      await bench.depart(station);
      await changeOthers(station);
      await untilAllHealthy(station);
      references.set(station, await bench.arrive(station));
    }
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    await bench.close();
    const isMet =
      counts.storms === STORMS.length &&
      counts.differences === 0 &&
      counts['most requests of work'] <= MOST_REQUESTS[run.tier] &&
      counts['slowest to resume, ms'] <= RESUMED_MS;
    await recordProof(run, 'storms', { counts, isMet });
  });

  async function changeOthers(station: Station): Promise<void> {
    const cpu = station === SCALED ? '100m' : '200m';
    for (const name of OTHERS) await bench.resources.apply(name, gateway(name, cpu));
  }

  async function untilAllHealthy(station: Station): Promise<void> {
    for (const name of OTHERS) await bench.resources.until(name, 'HEALTHY');
    await bench.reached(station);
  }

  /** The changes come while everything is refused: the watches tell of them, and all work on them is in vain. */
  async function weather({ fault }: Storm, station: Station): Promise<void> {
    const rule = bench.proxy.arm({ when: everything, times: Infinity, fault });
    await bench.depart(station);
    await changeOthers(station);
    await delay(STORM_MS[run.tier]);
    rule.disarm();
    const requests = bench.proxy.log.length;
    const work = bench.proxy.log.filter(({ request }) => !WATCHING.has(request.class)).length;
    const endMs = performance.now();
    await untilAllHealthy(station);
    const tookMs = Math.round(performance.now() - endMs);
    counts['slowest to resume, ms'] = Math.max(counts['slowest to resume, ms'], tookMs);
    counts['most requests of work'] = Math.max(counts['most requests of work'], work);
    counts['most requests'] = Math.max(counts['most requests'], requests);
  }

  for (const [index, storm] of STORMS.entries()) {
    it(`is weathered with few requests, and the work goes on after it: ${storm.name}`, async function weathering() {
      this.timeout(4 * MINUTES);
      const station = index % 2 === 0 ? SCALED : PLAIN;

      await weather(storm, station);
      const arrival = await bench.arrive(station);

      const found = toldAtOnce(deviations(references.get(station) ?? arrival, arrival));
      counts.storms += 1;
      counts.differences += found.length;
      expect(found).to.deep.equal([]);
      expect(bench.operator.unwantedEnds).to.equal(0);
    });
  }
});
