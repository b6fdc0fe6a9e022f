/** How long to wait between attempts. Pure; randomness comes in as a number. */

export interface BackoffSettings {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * The wait before the next attempt after that many failures (counted from 1): doubles each time, give or take a
 * fifth so that resources that failed together do not come back together. Always within first and last.
 */
export function backoffMs(failures: number, settings: BackoffSettings, random: number): number {
  // Beyond 2^30 the product says nothing any more, and the exponent must not grow for ever.
  const doubled = settings.firstMs * 2 ** Math.min(failures - 1, 30);
  const jittered = Math.min(doubled, settings.lastMs) * (0.8 + 0.4 * random);
  return Math.round(Math.min(Math.max(jittered, settings.firstMs), settings.lastMs));
}

/** Spreads a period by a tenth to both sides, so that periodic work of many resources does not coincide. */
export function spreadMs(periodMs: number, random: number): number {
  return Math.round(periodMs * (0.9 + 0.2 * random));
}
