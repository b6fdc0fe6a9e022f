/** What an upgrade from one release line to another changes beside versions, as people should know it beforehand. */
import type { Feature, Release } from './releases.ts';
import { DIFFERENCES } from './releases.ts';

export interface ReleaseChange {
  readonly feature: Feature;
  /** Whether the newer release has it and the older one not, or the other way round. */
  readonly change: 'gained' | 'lost';
  /** A sentence that says what it is. */
  readonly what: string;
}

/** What one release has and the other has not, in the order of the table. */
export function changesBetween(from: Release, to: Release): readonly ReleaseChange[] {
  const lost = [...from.features].filter((feature) => !to.features.has(feature));
  const gained = [...to.features].filter((feature) => !from.features.has(feature));
  return [
    ...gained.map((feature) => ({ feature, change: 'gained', what: DIFFERENCES[feature].why }) as const),
    ...lost.map((feature) => ({ feature, change: 'lost', what: DIFFERENCES[feature].why }) as const),
  ];
}
