/** Each class of request meets each fault of the network and of the server; and the servers themselves are killed. */
import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { uidOf } from '../../src/model/object.ts';
import { pathOf } from '../deploy/manifests.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { eventually, readObject } from '../operator/resources.ts';
import { disturbed } from './disturbed.ts';
import type { Arrival, Station } from './fault-bench.ts';
import { deviations, FaultBench, within } from './fault-bench.ts';
import type { Cell } from './fault-cells.ts';
import { describeCell, faultCells, STRIKES } from './fault-cells.ts';
import { readFaultRun, sample, seededRandom, toldAtOnce, whileTimeLasts } from './fault-run.ts';
import { recordProof } from './figures.ts';
import { GONE, PLAIN, SCALED } from './stations.ts';

const run = readFaultRun(process.env);
const MINUTES = 60_000;
const SAMPLED_CELLS = 14;
const TARGET_CELLS = { 1: SAMPLED_CELLS, 2: 90 } as const;
const RESTARTS = { 1: 1, 2: 10 } as const;
/** The lease is renewed every two seconds; everything else comes at once. */
const STRIKE_MS = 4_000;
/** The server is asked twice a second until it is there; then all watches are opened within a moment. */
const OPENING_MS = 1_000;
/** How often one request may be sent until a cell is over: the fault strikes twice, and a restart asks for all again. */
const MOST_TRIES = 10;

describe('faults of the API', () => {
  const counts = { cells: 0, unreached: 0, 'most tries': 0, differences: 0, 'unwanted ends': 0 };
  let bench: FaultBench;
  let here: Station = GONE;
  /** The operator had no need of such a request on the way. */
  const unreached: string[] = [];
  const references = new Map<Station, Arrival>();

  before(async function open() {
    this.timeout(4 * MINUTES);
    bench = await FaultBench.open(await sharedControlPlane(), { tag: 'api-faults', tls: true, elects: true });
    // The first round makes the definitions, the second is what all others are compared with.
    for (const station of [SCALED, PLAIN, SCALED, PLAIN]) references.set(station, await bench.goTo(station));
    here = PLAIN;
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    await bench.close();
    counts['unwanted ends'] = bench.operator.unwantedEnds;
    const isMet = counts.cells >= TARGET_CELLS[run.tier] && counts.differences === 0;
    if (unreached.length > 0) console.log(`    never asked for: ${unreached.join(', ')}`);
    await recordProof(run, 'apiFaults', { counts, isMet });
  });

  async function provoke({ target }: Cell, next: Station): Promise<void> {
    if (target.provocation === 'restart') return bench.operator.restartAround(async () => bench.depart(next));
    await bench.depart(next);
    if (target.provocation === 'cutWatches') bench.proxy.cutWatches();
  }

  /** Some classes of request are needed on one of the ways only. */
  async function towards({ target }: Cell): Promise<Station> {
    const next = here === PLAIN ? SCALED : PLAIN;
    const wrongWay = { create: PLAIN, get: PLAIN, delete: SCALED }[target.name];
    if (next !== wrongWay) return next;
    await bench.goTo(next);
    here = next;
    return next === PLAIN ? SCALED : PLAIN;
  }

  async function tryCell(cell: Cell): Promise<readonly string[]> {
    const next = await towards(cell);
    const rule = bench.proxy.arm({ when: cell.target.when, times: STRIKES, fault: cell.fault.fault });
    await provoke(cell, next);
    here = next;
    const isStruck = await within(STRIKE_MS, () => rule.strikes > 0);
    const arrival = await bench.arrive(next);
    rule.disarm();
    counts[isStruck ? 'cells' : 'unreached'] += 1;
    if (!isStruck) unreached.push(describeCell(cell));
    const expected = references.get(next) ?? arrival;
    const unwanted = bench.operator.unwantedEnds > 0 ? ['the operator ended by itself'] : [];
    return [...deviations(expected, arrival), ...unwanted, ...repetitions()].map(
      (line) => `${describeCell(cell)}: ${line}`,
    );
  }

  /** Requests that were sent too often since the departure; the lease is renewed for ever. */
  function repetitions(): readonly string[] {
    const tries = new Map<string, number>();
    for (const { request } of bench.proxy.log) {
      if (request.class === 'lease' || request.class === 'watch') continue;
      const key = `${request.method} ${request.url}`;
      tries.set(key, (tries.get(key) ?? 0) + 1);
    }
    counts['most tries'] = Math.max(counts['most tries'], ...tries.values());
    return [...tries]
      .filter(([, count]) => count > MOST_TRIES)
      .map(([key, count]) => `${key} was sent ${count} times`);
  }

  it('are outlived, each of them, and change nothing in the end', async function matrix() {
    this.timeout(40 * MINUTES);
    const quick = faultCells().filter(({ fault }) => fault.name !== 'hang');
    const all = faultCells();
    const random = seededRandom(run.seed);
    const cells = run.tier === 1 ? sample(quick, SAMPLED_CELLS, random) : sample(all, all.length, random);
    const found: string[] = [];
    for (const cell of whileTimeLasts(cells, run)) found.push(...toldAtOnce(await tryCell(cell)));

    counts.differences = found.length;
    expect(found).to.deep.equal([]);
  });
});

describe('restarts of the servers', () => {
  const counts = {
    'restarts of the API server': 0,
    'restarts of etcd': 0,
    'slowest repair after readyz, ms': 0,
  };
  let plane: ControlPlane;
  let bench: FaultBench;
  let deletions = 0;

  before(async function open() {
    this.timeout(4 * MINUTES);
    plane = await startControlPlane({ audit: true });
    bench = await FaultBench.open(plane, { tag: 'restarts' });
    await bench.goTo(SCALED);
  });

  after(async function close() {
    this.timeout(2 * MINUTES);
    await bench.close();
    await plane.stop();
    const slowestMs = counts['slowest repair after readyz, ms'];
    const restarts = counts['restarts of the API server'] + counts['restarts of etcd'];
    await recordProof(run, 'restarts', {
      counts,
      isMet: restarts >= 2 * RESTARTS[run.tier] && slowestMs <= 5_000,
    });
  });

  /** What is deleted behind the operator while its watches may be dead comes back. Each time it is another object. */
  async function deleteAndAwait(): Promise<void> {
    const object = disturbed(deletions);
    deletions += 1;
    const startMs = performance.now();
    const old = await readObject(plane, object);
    await plane.api.request('DELETE', pathOf(object));
    await eventually(`${object.kind} ${object.metadata.name} is made again`, async () => {
      const present = await readObject(plane, object);
      return present !== undefined && uidOf(present) !== (old && uidOf(old));
    });
    const tookMs = Math.round(performance.now() - startMs);
    counts['slowest repair after readyz, ms'] = Math.max(counts['slowest repair after readyz, ms'], tookMs);
    await bench.reached(SCALED);
  }

  const servers = [
    { name: 'restarts of the API server', restart: () => plane.restartApiServer('SIGKILL') },
    { name: 'restarts of etcd', restart: () => plane.restartEtcd('SIGKILL') },
  ] as const;

  for (const { name, restart } of servers) {
    it(`are outlived by the watches: ${name}`, async function sweep() {
      this.timeout(20 * MINUTES);
      for (let left = RESTARTS[run.tier]; left > 0; left -= 1) {
        await restart();
        await deleteAndAwait();
        counts[name] += 1;
      }

      expect(bench.operator.unwantedEnds).to.equal(0);
    });
  }

  it('are outlived while the watches are being opened', async function sweep() {
    this.timeout(20 * MINUTES);
    const random = seededRandom(run.seed);
    for (let left = RESTARTS[run.tier]; left > 0; left -= 1) {
      await plane.restartApiServer('SIGKILL');
      await delay(random() * OPENING_MS);
    }
    await plane.restartApiServer('SIGKILL');
    await deleteAndAwait();

    expect(bench.operator.unwantedEnds).to.equal(0);
  });
});
