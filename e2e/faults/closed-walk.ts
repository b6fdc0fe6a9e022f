/** The way that sees every change from one thing to another. */

/**
 * A closed walk on which each ordered pair of different places follows one another exactly once, beginning at the first
 * place and ending there: n places make n·(n−1) steps. Empty for fewer than two places.
 */
export function closedWalk<T>(places: readonly T[]): readonly T[] {
  if (places.length < 2) return [];
  // From each place to all later ones and back, but for its neighbour: that step leads on, and its way back leads home.
  const outward = places.flatMap((place, index) => [
    place,
    ...places.slice(index + 2).flatMap((later) => [later, place]),
  ]);
  return [...outward, ...places.slice(0, -1).toReversed()];
}
