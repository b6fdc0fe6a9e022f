/** Numbers as an axis shows them: a round step, in the unit that fits. */
import type { Unit } from '../dashboards.ts';

interface Step {
  /** From this size on. */
  readonly size: number;
  readonly suffix: string;
}

const thousands = (suffix: string): readonly Step[] => [
  { size: 1, suffix },
  { size: 1e3, suffix: ` k${suffix.trim()}` },
  { size: 1e6, suffix: ` M${suffix.trim()}` },
];

/** Each from small to large; the names are those that Grafana shows. */
const UNITS: Readonly<Record<Unit, readonly Step[]>> = {
  short: [{ size: 1, suffix: '' }],
  ops: [{ size: 1, suffix: ' ops/s' }],
  reqps: [{ size: 1, suffix: ' req/s' }],
  percentunit: [{ size: 0.01, suffix: '%' }],
  Bps: thousands(' B/s'),
  bytes: [
    { size: 1, suffix: ' B' },
    { size: 1024, suffix: ' KiB' },
    { size: 1024 ** 2, suffix: ' MiB' },
    { size: 1024 ** 3, suffix: ' GiB' },
  ],
  ms: [
    { size: 1, suffix: ' ms' },
    { size: 1e3, suffix: ' s' },
  ],
  s: [
    { size: 1e-3, suffix: ' ms' },
    { size: 1, suffix: ' s' },
    { size: 3600, suffix: ' h' },
    { size: 86_400, suffix: ' d' },
    { size: 31_557_600, suffix: ' years' },
  ],
};

export interface Tick {
  readonly value: number;
  readonly text: string;
}

const ROUND = [1, 2, 2.5, 5, 10];
const MOST_TICKS = 5;

/** Ticks from 0 to the first round value that is not below `largest`. */
export function ticksUpTo(largest: number, unit: Unit): readonly Tick[] {
  const top = unit === 'percentunit' ? Math.max(largest, 1) : largest || 1;
  const { size, suffix } = UNITS[unit].findLast((step) => top >= step.size) ?? UNITS[unit][0] ?? NO_UNIT;
  const scaled = top / size;
  const magnitude = 10 ** Math.floor(Math.log10(scaled / MOST_TICKS));
  const step = magnitude * (ROUND.find((round) => scaled / (round * magnitude) <= MOST_TICKS) ?? 10);
  const count = Math.ceil(scaled / step - 1e-9);
  const digits = decimalsOf(step);
  return Array.from({ length: count + 1 }, (_, index) => ({
    value: index * step * size,
    text: `${(index * step).toFixed(digits)}${suffix}`,
  }));
}

const NO_UNIT: Step = { size: 1, suffix: '' };

/** How many places after the point a step needs. */
function decimalsOf(step: number): number {
  const isWhole = (places: number): boolean =>
    Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) < 1e-6;
  return [0, 1, 2, 3, 4].find(isWhole) ?? 5;
}
