/** Two replicas, and the leader goes away in every way there is, in the middle of its work. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { Resources } from '../operator/resources.ts';
import { spreadOf } from './durations.ts';
import type { Tier } from './fault-run.ts';
import { readFaultRun, seededRandom } from './fault-run.ts';
import { recordProof } from './figures.ts';
import type { Heir, LeaderFault, LeaderFaultName, Scene } from './leader-faults.ts';
import { LEADER_FAULTS, LEADER_FAULT_NAMES } from './leader-faults.ts';
import type { Deed } from './leadership.ts';
import { deedsOf, handOverAfter, judgeLeadership } from './leadership.ts';
import type { LeaseTimes } from './replica.ts';
import { bundleOperator } from './operator-process.ts';
import { LeaseInHand, Replica } from './replica.ts';

const NAMESPACE = 'istio-system';
const NAME = 'mesh';
const SHORT: LeaseTimes = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400 };
const SHIPPED: LeaseTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
const RUN = readFaultRun(process.env);

/** Each step from one to the other creates, changes and deletes objects. */
const SPECS: readonly JsonObject[] = [
  { profile: 'minimal' },
  {
    profile: 'minimal',
    meshConfig: { accessLogFile: '/dev/stdout' },
    values: { pilot: { autoscaleEnabled: false } },
    components: { egressGateways: [{ name: 'istio-egressgateway', enabled: true }] },
  },
  { profile: 'minimal', meshConfig: { accessLogFile: '/dev/stderr' } },
];

/** Fewer fail-overs prove too little. */
const PROOF_SIZES = { failOver: { 1: 8, 2: 250 }, failOverShipped: { 1: 1, 2: 8 } } as const;

interface Goal {
  readonly proof: keyof typeof PROOF_SIZES;
  readonly times: LeaseTimes;
}

/** What happened in one trial, to be looked up in the audit log. */
interface Trial {
  readonly fault: LeaderFaultName;
  readonly struckUs: number;
  /** Who may lead from then on. */
  readonly heirs: readonly string[];
}

/** Two replicas and one resource, which changes with each trial. */
class Pair {
  readonly replicas: readonly [Replica, Replica];
  readonly #resources: Resources;
  readonly #lease: LeaseInHand;
  readonly #setting: Setting;
  #changes = 0;

  static async start(plane: ControlPlane, resources: Resources, setting: Setting): Promise<Pair> {
    // As the image has it: loading hundreds of sources takes a replica longer than the lease of these trials lasts.
    const program = await bundleOperator(plane);
    const create = async (name: string): Promise<Replica> =>
      Replica.create(plane, { namespace: setting.namespace, name }, setting.times, program);
    const replicas = [await create('replica-a'), await create('replica-b')] as const;
    await Promise.all(replicas.map(async (replica) => replica.start()));
    return new Pair(replicas, new LeaseInHand(plane, setting.namespace), resources, setting);
  }

  private constructor(
    replicas: readonly [Replica, Replica],
    lease: LeaseInHand,
    resources: Resources,
    setting: Setting,
  ) {
    this.replicas = replicas;
    this.#lease = lease;
    this.#resources = resources;
    this.#setting = setting;
  }

  /** Lets something happen to the leader at work; resolves when all is well again. */
  async suffer(name: LeaderFaultName): Promise<Trial> {
    const fault: LeaderFault = LEADER_FAULTS[name];
    const scene = await this.#scene();
    await this.#change();
    await delay(this.#setting.random() * 800);
    await fault.prepare?.(scene);
    const struckUs = Date.now() * 1_000;
    await fault.strike(scene);
    // Whoever leads next has something to write, however far the leader came.
    await this.#change();
    const heirs = heirsOf(fault, scene);
    await this.#lease.untilHeldBy(heirs);
    await this.#resources.until(NAME, 'HEALTHY');
    await fault.recover(scene);
    return { fault: name, struckUs, heirs: heirs.map(({ user }) => user) };
  }

  /** What both said last, for when something went wrong. */
  lastLines(): string {
    return this.replicas
      .map(({ account, process }) => `${account.name}:\n${process.output.split('\n').slice(-8).join('\n')}`)
      .join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map(async (replica) => replica.stop()));
  }

  async #change(): Promise<void> {
    this.#changes += 1;
    await this.#resources.apply(NAME, SPECS[this.#changes % SPECS.length] ?? {});
  }

  async #scene(): Promise<Scene> {
    const [a, b] = this.replicas;
    const leader = await this.#lease.untilHeldBy(this.replicas);
    const { times, random } = this.#setting;
    const follower = leader === a ? b : a;
    return { leader, follower, losses: leader.losses, lease: this.#lease, times, random };
  }
}

function heirsOf({ heir }: LeaderFault, { leader, follower }: Scene): readonly Replica[] {
  const heirs = { other: [follower], same: [leader], any: [leader, follower] } as const;
  return heirs[heir];
}

interface Setting {
  /** Of the operator, where the lease is. */
  readonly namespace: string;
  readonly times: LeaseTimes;
  readonly random: () => number;
}

describe('fail-over', () => {
  let plane: ControlPlane;
  let resources: Resources;
  let pair: Pair | undefined;

  before(async () => {
    plane = await sharedControlPlane();
    resources = new Resources(plane, NAMESPACE);
    await resources.prepare();
  });

  afterEach(async () => {
    await resources.clear();
    await pair?.stop();
    expect(resources.unsound).to.deep.equal([]);
  });

  async function sweep(faults: readonly LeaderFaultName[], setting: Setting): Promise<readonly Trial[]> {
    pair = await Pair.start(plane, resources, setting);
    const trials: Trial[] = [];
    for (const [index, fault] of faults.entries()) {
      const trial = await pair.suffer(fault).catch((error: unknown) => {
        throw new Error(`trial ${index + 1}, ${fault}:\n${pair?.lastLines()}`, { cause: error });
      });
      trials.push(trial);
    }
    return trials;
  }

  async function judge(trials: readonly Trial[], { proof, times }: Goal): Promise<void> {
    const deeds = await deedsOf(
      plane,
      (pair?.replicas ?? []).map(({ user }) => user),
    );
    const { takeovers, overlapping } = judgeLeadership(deeds);
    const handedOver = trials.filter(({ fault }) => LEADER_FAULTS[fault].heir !== 'same');
    const waits = handedOver.flatMap((trial) => waitOf(trial, deeds) ?? []);
    const failOvers = trials.filter(({ fault }) => LEADER_FAULTS[fault].heir === 'other').length;
    const startMs = Math.max(...(pair?.replicas ?? []).map(({ slowestStartMs }) => slowestStartMs));
    const late = waits.filter((wait) => isLate(wait, times, startMs));
    await recordProof(RUN, proof, {
      counts: {
        trials: trials.length,
        'fail-overs': failOvers,
        'overlapping writes': overlapping.length,
        ...spreads(waits),
        'slowest start': `${Math.round(startMs)} ms`,
      },
      isMet: failOvers >= PROOF_SIZES[proof][RUN.tier] && overlapping.length === 0 && late.length === 0,
    });
    expect(overlapping).to.deep.equal([]);
    expect(takeovers.length).to.be.at.least(failOvers + 1);
    expect(waits.length, 'trials after which somebody wrote').to.equal(handedOver.length);
    expect(late).to.deep.equal([]);
  }

  it('leaves one writer at a time, whatever becomes of the leader or of the lease', async function sweepAll() {
    const faults = faultsOf({
      ...SIZES.failOver[RUN.tier],
      ...(RUN.trials === undefined ? {} : { other: RUN.trials }),
    });
    this.timeout(faults.length * 40_000);

    const trials = await sweep(faults, {
      namespace: 'fail-over',
      times: SHORT,
      random: seededRandom(RUN.seed),
    });

    await judge(trials, { proof: 'failOver', times: SHORT });
  });

  it('leaves one writer at a time with the times that are shipped', async function sweepFew() {
    const faults = faultsOf(SIZES.failOverShipped[RUN.tier]);
    this.timeout(faults.length * 120_000);

    const trials = await sweep(faults, {
      namespace: 'fail-over-shipped',
      times: SHIPPED,
      random: seededRandom(RUN.seed),
    });

    await judge(trials, { proof: 'failOverShipped', times: SHIPPED });
  });
});

/** How often a sweep tries each kind of fault. */
interface Size {
  /** After which the other replica leads, all faults together. */
  readonly other: number;
  /** After which the leader may lead again, each. */
  readonly any: number;
  /** After which it must not have lost the lead, each. Not with a short lease, which a busy machine may miss by itself. */
  readonly same: number;
}

const SIZES = {
  failOver: { 1: { other: 8, any: 1, same: 0 }, 2: { other: 252, any: 15, same: 0 } },
  failOverShipped: { 1: { other: 1, any: 0, same: 1 }, 2: { other: 10, any: 1, same: 10 } },
} as const satisfies Readonly<Record<Goal['proof'], Readonly<Record<Tier, Size>>>>;

/** The faults of a sweep; those that are no fail-over are spread among the others. */
function faultsOf({ other, any, same }: Size): readonly LeaderFaultName[] {
  const failOvers = cycle(withHeir('other'), other);
  const rest = [
    ...cycle(withHeir('any'), any * withHeir('any').length),
    ...cycle(withHeir('same'), same * withHeir('same').length),
  ];
  const share = Math.ceil(rest.length / failOvers.length);
  return failOvers.flatMap((name, index) => [name, ...rest.slice(index * share, (index + 1) * share)]);
}

function withHeir(heir: Heir): readonly LeaderFaultName[] {
  return LEADER_FAULT_NAMES.filter((name) => LEADER_FAULTS[name].heir === heir);
}

function cycle(names: readonly LeaderFaultName[], count: number): readonly LeaderFaultName[] {
  return Array.from({ length: count }, (_, index) => names.slice(index % names.length)).flatMap(
    ([name]) => name ?? [],
  );
}

/** How long it took until somebody led, and until it wrote, in milliseconds. */
interface Wait {
  readonly fault: LeaderFaultName;
  /** From the strike on. */
  readonly ledMs: number;
  /** From the release on, or from the strike on where there was none. */
  readonly wroteMs: number;
}

function waitOf({ fault, struckUs, heirs }: Trial, deeds: readonly Deed[]): Wait | undefined {
  const handOver = handOverAfter(deeds, struckUs, heirs);
  if (handOver === undefined) return undefined;
  const { heldUs, wroteUs, releasedUs = struckUs } = handOver;
  return { fault, ledMs: (heldUs - struckUs) / 1_000, wroteMs: (wroteUs - releasedUs) / 1_000 };
}

/** Beyond its limit, and what this machine needs for a start of the same program beside everything else. */
function isLate({ fault, ledMs, wroteMs }: Wait, times: LeaseTimes, startMs: number): boolean {
  return Math.max(ledMs, wroteMs) > LEADER_FAULTS[fault].limitMs(times) + startMs;
}

/** By fault, such as `led 293/659 ms, wrote 310/700 ms`. */
function spreads(waits: readonly Wait[]): Record<string, string> {
  const tried = LEADER_FAULT_NAMES.filter((name) => waits.some(({ fault }) => fault === name));
  return Object.fromEntries(
    tried.map((name) => {
      const of = waits.filter(({ fault }) => fault === name);
      return [
        name,
        `led ${spreadOf(of.map(({ ledMs }) => ledMs))} wrote ${spreadOf(of.map(({ wroteMs }) => wroteMs))}`,
      ];
    }),
  );
}
