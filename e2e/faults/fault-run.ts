/** How large a run of the fault suites is, and which of its random choices it makes. */

/** 1: the sample in `npm test`. 2: all of it, `npm run e2e:faults`. */
export type Tier = 1 | 2;

export interface FaultRun {
  readonly tier: Tier;
  readonly seed: number;
  /** Whether the figures are written into the tree. */
  readonly isRecorded: boolean;
  /** How many trials there are, in place of what the tier says; for looking into something. */
  readonly trials?: number;
  /** For each sweep: no further plan is tried after that time. Infinity unless a run has to be cut short. */
  readonly sweepMs: number;
  /** How long the soak goes on. */
  readonly soakMs: number;
  /** Whether nothing cuts the run short: then a target that is missed is a failure. */
  readonly isWhole: boolean;
}

const DEFAULT_SEED = 1;
/** Below an hour only what leaks at every step can be told from noise. */
const SOAK_MINUTES = { 1: 0.75, 2: 60 } as const satisfies Record<Tier, number>;

const SHORTENING = ['FAULTS_MINUTES', 'FAULTS_TRIALS', 'SOAK_MINUTES'] as const;

/**
 * Read from FAULTS_TIER (1 or 2), FAULTS_SEED (a whole number), FAULTS_RECORD (1), FAULTS_MINUTES and SOAK_MINUTES.
 * Throws when one of them is something else: a run of the wrong size would pass for the right one. FAULTS_TRIALS sets
 * another number of trials.
 */
export function readFaultRun(env: Readonly<Record<string, string | undefined>>): FaultRun {
  const tier = readTier(env['FAULTS_TIER']);
  const seed = Number(env['FAULTS_SEED'] ?? DEFAULT_SEED);
  if (!Number.isSafeInteger(seed)) throw new Error('FAULTS_SEED must be a whole number');
  const trials = env['FAULTS_TRIALS'];
  return {
    tier,
    seed,
    isRecorded: env['FAULTS_RECORD'] === '1',
    sweepMs: minutesOf(env, 'FAULTS_MINUTES', Infinity),
    soakMs: minutesOf(env, 'SOAK_MINUTES', SOAK_MINUTES[tier]),
    isWhole: SHORTENING.every((name) => env[name] === undefined),
    ...(trials === undefined ? {} : { trials: Number(trials) }),
  };
}

function readTier(text = '1'): Tier {
  if (text === '1') return 1;
  if (text === '2') return 2;
  throw new Error(`FAULTS_TIER is "${text}"; it must be 1 or 2`);
}

/** In milliseconds. */
function minutesOf(
  env: Readonly<Record<string, string | undefined>>,
  name: 'FAULTS_MINUTES' | 'SOAK_MINUTES',
  otherwise: number,
): number {
  const minutes = Number(env[name] ?? otherwise);
  if (!(minutes > 0)) throw new Error(`${name} must be a number of minutes`);
  return minutes * 60_000;
}

/** The plans of a sweep, as long as its time lasts. */
export function* whileTimeLasts<T>(plans: readonly T[], { sweepMs }: FaultRun): Generator<T> {
  const endMs = performance.now() + sweepMs;
  for (const plan of plans) {
    if (performance.now() >= endMs) return;
    yield plan;
  }
}

/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** That many of the items, or all when there are not more, in an order that the random numbers give. */
export function sample<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((left, right) => left.at - right.at)
    .slice(0, count)
    .map(({ item }) => item);
}

/** One of the items. Throws when there is none. */
export function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}

/** Prints what a plan found, at once: a long run may be ended before its report. */
export function toldAtOnce(found: readonly string[]): readonly string[] {
  for (const line of found) console.error(line);
  return found;
}
