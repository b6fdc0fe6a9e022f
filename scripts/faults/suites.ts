/** The fault suites, and how a run in full spreads them over a machine with two processors. */

export interface FaultSuite {
  /** The file below e2e/faults, without `.e2e.ts`. */
  readonly name: string;
  /** About how long it takes in full beside others; the longest are started first. */
  readonly minutes: number;
  /** Runs before all others and alone, because it measures how quickly something happens. */
  readonly isTimed?: true;
  /** Works the processors all the time: it gives way to those that wait for deadlines. */
  readonly isBusy?: true;
}

/** A test holds this table against the files of the folder. */
export const FAULT_SUITES: readonly FaultSuite[] = [
  { name: 'poison', minutes: 4, isTimed: true },
  { name: 'drift', minutes: 3, isTimed: true },
  { name: 'soak', minutes: 62 },
  { name: 'crash-sweep', minutes: 50, isBusy: true },
  { name: 'campaign', minutes: 35, isBusy: true },
  { name: 'fail-over', minutes: 35 },
  { name: 'api-faults', minutes: 15 },
  { name: 'adversary', minutes: 20 },
  { name: 'rewind', minutes: 12 },
  { name: 'views', minutes: 10, isBusy: true },
  { name: 'model', minutes: 10, isBusy: true },
  { name: 'storm', minutes: 4 },
  { name: 'conditions', minutes: 2 },
  { name: 'canaries', minutes: 1 },
  { name: 'deputy', minutes: 1 },
  { name: 'chaos-proxy', minutes: 1 },
];

/**
 * Those that are run alone, in that order, and those that are run side by side, the longest first. Only the named ones;
 * all of them when none is named. Throws when a name is unknown.
 */
export function scheduleOf(names: readonly string[]): {
  readonly alone: readonly FaultSuite[];
  readonly together: readonly FaultSuite[];
} {
  const unknown = names.find((name) => FAULT_SUITES.every((suite) => suite.name !== name));
  if (unknown !== undefined) throw new Error(`there is no fault suite "${unknown}"; there are ${listed()}`);
  const chosen = FAULT_SUITES.filter(({ name }) => names.length === 0 || names.includes(name));
  const together = chosen.filter(({ isTimed }) => isTimed === undefined);
  return {
    alone: chosen.filter(({ isTimed }) => isTimed === true),
    together: together.toSorted((left, right) => right.minutes - left.minutes),
  };
}

function listed(): string {
  return FAULT_SUITES.map(({ name }) => name).join(', ');
}
