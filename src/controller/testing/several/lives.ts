/** Lives of several resources, by chance, and what is found to be wrong in them. */
import fc from 'fast-check';
import type { Engine } from '../../visit.ts';
import { faultsAtRest, installedIn, keptForPaused, refusedIn } from './oracles.ts';
import type { Wish } from './specs.ts';
import { GATEWAYS, KEYS, REVISIONS, TAGS } from './specs.ts';
import type { Act, Step, Tally } from './world.ts';
import { World } from './world.ts';

const wish: fc.Arbitrary<Wish> = fc
  .record({
    revision: fc.option(fc.constantFrom(...REVISIONS), { nil: undefined, freq: 2 }),
    hasBase: fc.boolean(),
    tags: fc.subarray([...TAGS]),
    gateways: fc.subarray([...GATEWAYS], { maxLength: 2 }),
    edition: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ revision, ...rest }) => (revision === undefined ? rest : { ...rest, revision }));

const key = fc.constantFrom(...KEYS);

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), key, wish }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('orphan' as const, 'pause' as const, 'resume' as const),
      key,
    }),
  },
);

const step: fc.Arbitrary<Step> = fc.record({
  acts: fc.array(act, { maxLength: 3 }),
  isAway: fc.boolean(),
});

/** Steps in the life of up to five resources. */
const lives: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 1, maxLength: 16, size: 'max' });

/** What comes last: nobody is left, and nothing that was not to stay. */
const END: readonly Step[] = [
  { acts: KEYS.map((each): Act => ({ kind: 'resume', key: each })), isAway: false },
  { acts: KEYS.map((each): Act => ({ kind: 'delete', key: each })), isAway: false },
];

interface Life {
  /** Empty when everything held. */
  readonly findings: readonly string[];
  readonly tally: Tally;
}

/** Lives one life with the real controller and engine, up to the first thing that does not hold. */
async function live(steps: readonly Step[], random: () => number, engine?: Engine): Promise<Life> {
  const world = new World(random, engine);
  for (const each of [...steps, ...END]) {
    const { version } = world.api;
    const before = world.lastStored;
    await world.go(each);
    judge(world);
    if (each.acts.length === 0 && world.api.version !== version)
      world.find(`stored at rest: ${world.lastStored} (before it ${before})`);
    if (world.findings.size > 0) break;
  }
  if (world.findings.size === 0)
    for (const [identity] of installedIn(world.api))
      if (!world.leftBehind.has(identity)) world.find(`${identity} is left over in the end`);
  world.endProcess();
  return { findings: [...world.findings], tally: world.tally };
}

function judge(world: World): void {
  for (const identity of keptForPaused(world.api)) world.leftBehind.add(identity);
  for (const finding of faultsAtRest(world.api, world.leftBehind, world.start)) world.find(finding);
  world.tally.refused += refusedIn(world.api);
}

export interface Many {
  readonly lives: number;
  readonly tally: Tally;
  /** The shortest life that was found in which something does not hold, as the steps and what was found. */
  readonly violation: string | undefined;
}

export interface ManySettings {
  readonly seed: number;
  readonly runs: number;
  readonly engine?: Engine;
  /** Looks for a shorter life when one fails. */
  readonly isShrunk?: boolean;
}

/** Lives many lives by chance, up to the first that fails. */
export async function liveMany({ seed, runs, engine, isShrunk = true }: ManySettings): Promise<Many> {
  const tally: Tally = { pruned: 0, deleted: 0, refused: 0, handedOver: 0 };
  let count = 0;
  const property = fc.asyncProperty(lives, async (steps) => {
    const { findings, tally: one } = await live(steps, () => 0.5, engine);
    count += 1;
    for (const name of TALLIED) tally[name] += one[name];
    if (findings.length > 0) throw new Error(findings.join('\n'));
  });
  const limits = { numRuns: runs, seed, endOnFailure: !isShrunk };
  const { failed, counterexample, errorInstance } = await fc.check(property, limits);
  const violation = failed ? `${JSON.stringify(counterexample)}\n${String(errorInstance)}` : undefined;
  return { lives: count, tally, violation };
}

const TALLIED = ['pruned', 'deleted', 'refused', 'handedOver'] as const satisfies readonly (keyof Tally)[];
