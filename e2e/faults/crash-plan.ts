/** The crashes that a journey is tried with: one before and one after each of its writes. */
import { pick, sample } from './fault-run.ts';

type Moment = 'crashBefore' | 'crashAfter';

export interface CrashPlan {
  readonly moment: Moment;
  /** The write, by what it does to which object. */
  readonly write: string;
  /** Which of the writes of that name, from 1: they come in another order each time, since several run at once. */
  readonly occurrence: number;
  /** A second crash, of the process that was started after the first one: which of its writes, from 1. */
  readonly again?: { readonly moment: Moment; readonly nth: number };
}

const MOMENTS: readonly Moment[] = ['crashBefore', 'crashAfter'];
/** Most recoveries write more than that, so most second crashes are met. */
const WRITES_BEFORE_AGAIN = 5;

/** Both crashes at each write, in the order of the writes. */
export function crashPlans(writes: readonly string[]): readonly CrashPlan[] {
  const counts = new Map<string, number>();
  return writes.flatMap((write) => {
    const occurrence = (counts.get(write) ?? 0) + 1;
    counts.set(write, occurrence);
    return MOMENTS.map((moment) => ({ moment, write, occurrence }));
  });
}

/** A seeded choice of that many plans, or all of them when no number is given, in the order of the choice. */
export function chosenPlans(
  writes: readonly string[],
  count: number | undefined,
  random: () => number,
): readonly CrashPlan[] {
  const plans = crashPlans(writes);
  return sample(plans, count ?? plans.length, random);
}

/** A seeded choice of plans, each with a second crash while the operator makes good the first. */
export function doubledPlans(
  writes: readonly string[],
  count: number,
  random: () => number,
): readonly CrashPlan[] {
  return sample(crashPlans(writes), count, random).map((plan) => {
    const again = { moment: pick(MOMENTS, random), nth: 1 + Math.floor(random() * WRITES_BEFORE_AGAIN) };
    return { ...plan, again };
  });
}

export function describePlan({ moment, write, occurrence, again }: CrashPlan): string {
  const second = again === undefined ? '' : `, then ${again.moment} write ${again.nth} of the recovery`;
  return `${moment} ${write} #${occurrence}${second}`;
}
