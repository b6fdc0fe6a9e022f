/** Durations as the figures show them. */

/** The middle and the largest, in whole milliseconds, such as `40/210 ms`. */
export function spreadOf(durationsMs: readonly number[]): string {
  const sorted = durationsMs.toSorted((left, right) => left - right);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${Math.round(middle)}/${Math.round(sorted.at(-1) ?? 0)} ms`;
}
