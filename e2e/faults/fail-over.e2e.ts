/** Two replicas, and the leader goes away in every way there is, in the middle of its work. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { eventually, Resources } from '../operator/resources.ts';
import { deedsOf, judgeLeadership } from './leadership.ts';
import { spreadOf } from './durations.ts';
import { pick, readFaultRun, seededRandom } from './fault-run.ts';
import { recordProof } from './figures.ts';
import type { ClockSkew, LeaseTimes } from './replica.ts';
import { Replica, RIGHT_CLOCK, holderOf, untilHeldBy } from './replica.ts';

const NAMESPACE = 'istio-system';
const NAME = 'mesh';
const SHORT: LeaseTimes = { duration: '3s', renewDeadline: '2s', retryPeriod: '400ms' };
const SHIPPED: LeaseTimes = { duration: '15s', renewDeadline: '10s', retryPeriod: '2s' };
const RUN = readFaultRun(process.env);
const HOUR_MS = 3_600_000;

/** Each step from one to the other creates, changes and deletes objects. */
const SPECS: readonly JsonObject[] = [
  { profile: 'minimal' },
  {
    profile: 'minimal',
    meshConfig: { accessLogFile: '/dev/stdout' },
    values: { pilot: { autoscaleEnabled: false } },
    components: { egressGateways: [{ name: 'istio-egressgateway', enabled: true }] },
  },
];

interface Fault {
  breakDown(leader: Replica): void;
  /** Brings the replica back, as a follower; resolves when it is one. */
  bringBack(replica: Replica, before: Before): Promise<void>;
}

interface Before {
  readonly random: () => number;
  /** How often the replica had lost the lead before it broke down. */
  readonly losses: number;
}

const restart: Fault['bringBack'] = async (replica, { random }) => {
  await replica.process.ended;
  await replica.start(randomSkew(random));
};

/** It must notice by itself that it does not lead any more, and go on living: that is no reason to crash. */
async function untilFollowing(replica: Replica, { losses }: Before): Promise<void> {
  await eventually(`${replica.account.name} follows`, async () => replica.losses > losses);
  expect(replica.process.isRunning).to.equal(true);
}

const FAULTS = {
  SIGTERM: {
    breakDown: (leader) => leader.process.signal('SIGTERM'),
    bringBack: restart,
  },
  SIGKILL: {
    breakDown: (leader) => leader.process.signal('SIGKILL'),
    bringBack: restart,
  },
  SIGSTOP: {
    breakDown: (leader) => leader.process.signal('SIGSTOP'),
    bringBack: async (replica, before) => {
      replica.process.signal('SIGCONT');
      await untilFollowing(replica, before);
    },
  },
  partition: {
    breakDown: (leader) => leader.relay.cut(),
    bringBack: async (replica, before) => {
      // It gives up while it is cut off: nobody can tell it.
      await untilFollowing(replica, before);
      replica.relay.heal();
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** Fewer trials prove too little. */
const PROOF_SIZES = { failOver: { 1: 12, 2: 250 }, failOverShipped: { 1: 1, 2: 8 } } as const;

type FaultName = keyof typeof FAULTS;

const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[]; // keys of a closed literal

/** A third of all processes have a clock that is an hour off or runs too fast or too slow, as far as a lease allows. */
function randomSkew(random: () => number): ClockSkew {
  if (random() > 1 / 3) return RIGHT_CLOCK;
  return { offsetMs: pick([-HOUR_MS, 0, HOUR_MS], random), rate: pick([0.9, 1, 1.1], random) };
}

/** Two replicas and one resource, which changes with each trial. */
class Pair {
  readonly replicas: readonly [Replica, Replica];
  readonly #plane: ControlPlane;
  readonly #resources: Resources;
  readonly #random: () => number;
  #changes = 0;

  static async start(plane: ControlPlane, resources: Resources, setting: Setting): Promise<Pair> {
    const create = async (name: string): Promise<Replica> =>
      Replica.create(plane, { namespace: setting.namespace, name }, setting.times);
    const replicas = [await create('replica-a'), await create('replica-b')] as const;
    await Promise.all(replicas.map(async (replica) => replica.start()));
    return new Pair(replicas, plane, resources, setting.random);
  }

  private constructor(
    replicas: readonly [Replica, Replica],
    plane: ControlPlane,
    resources: Resources,
    random: () => number,
  ) {
    this.replicas = replicas;
    this.#plane = plane;
    this.#resources = resources;
    this.#random = random;
  }

  /** Lets the leader break down at work; resolves to the milliseconds until the other one leads. */
  async failOver(name: FaultName): Promise<number> {
    const fault: Fault = FAULTS[name];
    const [leader, follower] = await this.#roles();
    const before = { random: this.#random, losses: leader.losses };
    await this.#change();
    await delay(this.#random() * 800);
    fault.breakDown(leader);
    const tookMs = await untilHeldBy(this.#plane, follower);
    await this.#resources.until(NAME, 'HEALTHY');
    await fault.bringBack(leader, before);
    return tookMs;
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

  async #roles(): Promise<readonly [Replica, Replica]> {
    const [a, b] = this.replicas;
    const holder = await eventually('somebody leads', async () => {
      const name = await holderOf(this.#plane, a.account.namespace);
      return name === '' ? undefined : name;
    });
    return holder === a.account.name ? [a, b] : [b, a];
  }
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

  /** The milliseconds that each kind of fault took. */
  type Durations = Readonly<Record<FaultName, readonly number[]>>;

  async function sweep(faults: readonly FaultName[], setting: Setting): Promise<Durations> {
    pair = await Pair.start(plane, resources, setting);
    const durations: Record<FaultName, number[]> = { SIGTERM: [], SIGKILL: [], SIGSTOP: [], partition: [] };
    for (const [index, fault] of faults.entries()) {
      const tookMs = await pair.failOver(fault).catch((error: unknown) => {
        throw new Error(`trial ${index + 1}, ${fault}:\n${pair?.lastLines()}`, { cause: error });
      });
      durations[fault].push(tookMs);
    }
    return durations;
  }

  interface Goal {
    readonly proof: keyof typeof PROOF_SIZES;
    /** Within which the other replica leads. */
    readonly limitsMs: Readonly<Record<FaultName, number>>;
  }

  async function report(durations: Durations, { proof, limitsMs }: Goal): Promise<void> {
    const users = (pair?.replicas ?? []).map(({ user }) => user);
    const { takeovers, overlapping } = judgeLeadership(await deedsOf(plane, users));
    const trials = Object.values(durations).flat().length;
    const isInTime = FAULT_NAMES.every((fault) => durations[fault].every((ms) => ms <= limitsMs[fault]));
    const tried = FAULT_NAMES.filter((fault) => durations[fault].length > 0);
    const spreads = tried.map((fault) => [fault, spreadOf(durations[fault])] as const);
    await recordProof(RUN, proof, {
      counts: {
        'fail-overs': trials,
        'overlapping writes': overlapping.length,
        ...Object.fromEntries<string>(spreads),
      },
      isMet: trials >= PROOF_SIZES[proof][RUN.tier] && overlapping.length === 0 && isInTime,
    });
    expect(overlapping).to.deep.equal([]);
    expect(takeovers.length).to.be.at.least(trials + 1);
  }

  it('leaves one writer at a time, whatever becomes of the leader', async function sweepAll() {
    const trials = RUN.trials ?? (RUN.tier === 2 ? 252 : 12);
    this.timeout(trials * 30_000);
    const faults = Array.from(
      { length: trials },
      (_, index) => FAULT_NAMES[index % FAULT_NAMES.length] ?? 'SIGTERM',
    );

    const durations = await sweep(faults, {
      namespace: 'fail-over',
      times: SHORT,
      random: seededRandom(RUN.seed),
    });

    await report(durations, {
      proof: 'failOver',
      limitsMs: { SIGTERM: 1_000, SIGKILL: 5_000, SIGSTOP: 5_000, partition: 5_000 },
    });
  });

  it('leaves one writer at a time with the times that are shipped', async function sweepFew() {
    const faults: readonly FaultName[] = RUN.tier === 2 ? [...FAULT_NAMES, ...FAULT_NAMES] : ['SIGTERM'];
    this.timeout(faults.length * 90_000);

    const durations = await sweep(faults, {
      namespace: 'fail-over-shipped',
      times: SHIPPED,
      random: seededRandom(RUN.seed),
    });

    await report(durations, {
      proof: 'failOverShipped',
      limitsMs: { SIGTERM: 1_000, SIGKILL: 17_000, SIGSTOP: 17_000, partition: 17_000 },
    });
  });
});
