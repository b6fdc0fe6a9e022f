/** The ways in which the leader of two replicas, or the lease between them, can come to harm. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../operator/resources.ts';
import { pick } from './fault-run.ts';
import type { ClockSkew, LeaseInHand, LeaseTimes } from './replica.ts';
import { BLOCKS, RIGHT_CLOCK, type Replica } from './replica.ts';

const HOUR_MS = 3_600_000;

export interface Scene {
  readonly leader: Replica;
  readonly follower: Replica;
  /** How often the leader had lost the lead before. */
  readonly losses: number;
  readonly lease: LeaseInHand;
  readonly times: LeaseTimes;
  readonly random: () => number;
}

/** Who must lead afterwards: the other replica, the same one without a break, or any one of the two. */
export type Heir = 'other' | 'same' | 'any';

export interface LeaderFault {
  readonly heir: Heir;
  /** What must have happened before the time of the hand-over begins. */
  prepare?(scene: Scene): Promise<void>;
  strike(scene: Scene): Promise<void>;
  /** Resolves when both replicas are there again, one of them as a follower. */
  recover(scene: Scene): Promise<void>;
  /**
   * After how long at most somebody leads and writes again, from the strike on; where the lease is given back it writes
   * so long after that. Nothing where the leader stays.
   */
  limitMs(times: LeaseTimes): number;
}

/** A third of all processes have a clock that is an hour off or runs too fast or too slow, as far as a lease allows. */
function randomSkew(random: () => number): ClockSkew {
  if (random() > 1 / 3) return RIGHT_CLOCK;
  return { offsetMs: pick([-HOUR_MS, 0, HOUR_MS], random), rate: pick([0.9, 1, 1.1], random) };
}

const signal =
  (name: NodeJS.Signals) =>
  async ({ leader }: Scene): Promise<void> =>
    leader.process.signal(name);

async function restart({ leader, random }: Scene): Promise<void> {
  await leader.process.ended;
  await leader.start(randomSkew(random));
}

/** It must notice by itself that it does not lead any more, and go on living: that is no reason to crash. */
async function untilFollowing({ leader, losses }: Scene): Promise<void> {
  await eventually(`${leader.account.name} follows`, async () => leader.losses > losses);
  await expectAlive(leader);
}

async function expectAlive(replica: Replica): Promise<void> {
  expect(replica.process.isRunning).to.equal(true);
  expect((await replica.process.get('/healthz')).status, 'liveness').to.equal(200);
}

/** It has the lead, and had it all the time. */
async function stillLeading({ leader, losses, lease }: Scene): Promise<void> {
  expect([await lease.holder(), leader.losses]).to.deep.equal([leader.account.name, losses]);
  await expectAlive(leader);
}

const SECOND_MS = 1_000;
const afterCrash = ({ leaseMs }: LeaseTimes): number => leaseMs + 2 * SECOND_MS;

export const LEADER_FAULTS = {
  SIGTERM: { heir: 'other', strike: signal('SIGTERM'), recover: restart, limitMs: () => SECOND_MS },
  SIGKILL: { heir: 'other', strike: signal('SIGKILL'), recover: restart, limitMs: afterCrash },
  SIGSTOP: {
    heir: 'other',
    strike: signal('SIGSTOP'),
    recover: async (scene) => {
      scene.leader.process.signal('SIGCONT');
      await untilFollowing(scene);
    },
    limitMs: afterCrash,
  },
  partition: {
    heir: 'other',
    strike: async ({ leader }) => leader.relay.cut(),
    recover: async (scene) => {
      // It gives up while it is cut off: nobody can tell it.
      await untilFollowing(scene);
      scene.leader.relay.heal();
    },
    limitMs: afterCrash,
  },
  blocked: {
    heir: 'other',
    strike: signal('SIGHUP'),
    recover: untilFollowing,
    limitMs: afterCrash,
  },
  'both parted': {
    heir: 'any',
    prepare: async (scene) => {
      scene.leader.relay.cut();
      scene.follower.relay.cut();
      await untilFollowing(scene);
      await delay(scene.random() * scene.times.leaseMs);
      await expectAlive(scene.follower);
    },
    strike: async ({ leader, follower }) => {
      leader.relay.heal();
      follower.relay.heal();
    },
    recover: async ({ leader, follower }) => {
      await expectAlive(leader);
      await expectAlive(follower);
    },
    limitMs: ({ leaseMs }) => (leaseMs * 4) / 3,
  },
  'blocked briefly': {
    heir: 'same',
    strike: async (scene) => {
      scene.leader.process.signal('SIGUSR2');
      await delay(BLOCKS.SIGUSR2(scene.times));
    },
    recover: stillLeading,
    limitMs: () => 0,
  },
  'lease deleted': {
    heir: 'same',
    strike: async ({ lease }) => lease.delete(),
    recover: stillLeading,
    limitMs: () => 0,
  },
  'lease emptied': {
    heir: 'same',
    strike: async ({ lease }) => lease.giveTo(''),
    recover: stillLeading,
    limitMs: () => 0,
  },
  'lease given away': {
    heir: 'any',
    strike: async ({ lease }) => lease.giveTo('somebody-else'),
    recover: untilFollowing,
    // The leader must have noticed, and then the lease of nobody must have run out.
    limitMs: (times) => afterCrash(times) + times.retryMs,
  },
} as const satisfies Readonly<Record<string, LeaderFault>>;

export type LeaderFaultName = keyof typeof LEADER_FAULTS;

export const LEADER_FAULT_NAMES = Object.keys(LEADER_FAULTS) as readonly LeaderFaultName[]; // keys of a closed literal
