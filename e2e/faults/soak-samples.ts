/** The measurements of a soak, and what grew from one to the next. */
import { percentile } from '../../scripts/bench/figure.ts';
import type { Point } from './trend.ts';
import { robustGrowth, robustSlope } from './trend.ts';
import type { VitalSigns } from './vital-signs.port.ts';

/** The vital signs after one round. */
export interface SoakSample extends VitalSigns {
  readonly atMs: number;
}

/** The signs that must be the same after each round. */
export const CONSTANT_SIGNS = [
  'sockets',
  'timers',
  'listeners',
  'signals',
  'emitters',
] as const satisfies readonly (keyof VitalSigns)[];

export type ConstantSign = (typeof CONSTANT_SIGNS)[number];

export interface SoakTrend {
  readonly heldMibPerHour: number;
  readonly residentMibPerHour: number;
  /** How many more there are at the end than at the beginning, rounded; a round without a leak adds 0. */
  readonly growth: Readonly<Record<ConstantSign, number>>;
  /** The largest of all rounds. */
  readonly loopLateMs: number;
}

const HOUR_MS = 3_600_000;
/** What compiles, fills caches and is remembered for some minutes does so here. */
const WARM_UP = 1 / 4;

/** More of these than the rounds can have left behind by accident: at least one in every second round. */
export function leaksOf(samples: readonly SoakSample[]): readonly string[] {
  const { growth } = trendOf(samples);
  return CONSTANT_SIGNS.filter((sign) => growth[sign] > (samples.length * (1 - WARM_UP)) / 2).map(
    (sign) => `${growth[sign]} more ${sign}`,
  );
}

/** What happened after the warm-up, the first quarter. Throws when there are not two samples after it. */
export function trendOf(samples: readonly SoakSample[]): SoakTrend {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const points = (sign: keyof VitalSigns): readonly Point[] =>
    warm.map((sample) => ({ x: sample.atMs / HOUR_MS, y: sample[sign] }));
  const grown = CONSTANT_SIGNS.map((sign) => [sign, Math.round(robustGrowth(points(sign)))] as const);
  return {
    heldMibPerHour: robustSlope(points('heldMib')),
    residentMibPerHour: robustSlope(points('residentMib')),
    growth: Object.fromEntries(grown) as Record<ConstantSign, number>, // of all of them, by the line above
    loopLateMs: percentile(
      warm.map(({ loopLateMs }) => loopLateMs),
      100,
    ),
  };
}
