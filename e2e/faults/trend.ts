/** Whether something grows: the slope through measured points that single outliers cannot bend. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The median of the slopes between all pairs of points (Theil and Sen): up to 29 % of the points may be wrong by any
 * amount. Throws when no two points differ in x.
 */
export function robustSlope(points: readonly Point[]): number {
  const slopes = points
    .flatMap((from, index) =>
      points.slice(index + 1).map((to) => (to.x === from.x ? Number.NaN : (to.y - from.y) / (to.x - from.x))),
    )
    .filter((slope) => !Number.isNaN(slope))
    .toSorted((left, right) => left - right);
  const middle = (slopes.length - 1) / 2;
  const [lower, upper] = [slopes[Math.floor(middle)], slopes[Math.ceil(middle)]];
  if (lower === undefined || upper === undefined) throw new Error('a slope needs two points');
  return (lower + upper) / 2;
}

/** By how much y grows from the first x to the last, along that slope. */
export function robustGrowth(points: readonly Point[]): number {
  const all = points.map(({ x }) => x);
  return robustSlope(points) * (Math.max(...all) - Math.min(...all));
}
