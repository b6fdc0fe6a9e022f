/** How often something was repaired that others undo each time. */

export interface Rhythm {
  /** Before the first pause. */
  readonly atOnce: number;
  /** Between any two repairs after the first pause began; Infinity where there is none. */
  readonly shortestPauseMs: number;
}

/** Of repairs in order of time; a pause is at least that long. */
export function rhythmOf(timesMs: readonly number[], pauseMs: number): Rhythm {
  const gaps = timesMs.slice(1).map((timeMs, index) => timeMs - (timesMs[index] ?? timeMs));
  const first = gaps.findIndex((gapMs) => gapMs >= pauseMs);
  if (first === -1) return { atOnce: timesMs.length, shortestPauseMs: Infinity };
  return { atOnce: first + 1, shortestPauseMs: Math.min(...gaps.slice(first)) };
}
