/** The crashes that a journey is tried with: one before and one after each of its writes. */
import { sample } from './fault-run.ts';

export interface CrashPlan {
  readonly moment: 'crashBefore' | 'crashAfter';
  /** The write, by what it does to which object. */
  readonly write: string;
  /** Which of the writes of that name, from 1: they come in another order each time, since several run at once. */
  readonly occurrence: number;
}

/** Both crashes at each write, in the order of the writes. */
export function crashPlans(writes: readonly string[]): readonly CrashPlan[] {
  const counts = new Map<string, number>();
  return writes.flatMap((write) => {
    const occurrence = (counts.get(write) ?? 0) + 1;
    counts.set(write, occurrence);
    return (['crashBefore', 'crashAfter'] as const).map((moment) => ({ moment, write, occurrence }));
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

export function describePlan({ moment, write, occurrence }: CrashPlan): string {
  return `${moment} ${write} #${occurrence}`;
}
