/** Measures how long a plan takes once everything is loaded and compiled, as it is in a running operator. */
import { Bench } from 'tinybench';
import type { Figure } from './figure.ts';

const TARGETS_MS: Readonly<Record<string, number>> = { demo: 25 };

/** The warm median for each profile. `plan` makes the whole plan of a resource that names only the profile. */
export async function renderFigures(
  profiles: readonly string[],
  plan: (profile: string) => void,
): Promise<readonly Figure[]> {
  const bench = new Bench({ time: 500, warmupTime: 250, throws: true });
  for (const profile of profiles) bench.add(profile, () => plan(profile));
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`measuring ${name} ended as ${result.state}`);
    const target = TARGETS_MS[name];
    const figure: Figure = { what: `plan of ${name}, warm median`, value: result.latency.p50, unit: 'ms' };
    return target === undefined ? figure : { ...figure, target };
  });
}
