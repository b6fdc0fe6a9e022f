/** Measures whether planning many resources, each different, leaves anything behind. */
import type { Figure } from './figure.ts';

const MIB = 2 ** 20;
/** The first plans compile templates and fill caches; what comes after them should cost nothing. */
const SETTLED = 100;
const ALL = 500;
/** Mebibytes that `ALL - SETTLED` plans may leave: noise of the collector. One plan of demo alone is about one. */
const ALLOWED_GROWTH_MIB = 4;

interface Memory {
  readonly heapMib: number;
  readonly rssMib: number;
}

/** Heap and resident memory before, and after 100 and 500 plans. `plan` makes the plan of the resource of that number. */
export async function memoryFigures(plan: (index: number) => void): Promise<readonly Figure[]> {
  const start = await memoryNow();
  for (let index = 0; index < SETTLED; index += 1) plan(index);
  const settled = await memoryNow();
  for (let index = SETTLED; index < ALL; index += 1) plan(index);
  const end = await memoryNow();
  const growth = end.heapMib - settled.heapMib;
  return [
    ...figuresOf('before', start),
    ...figuresOf(`after ${SETTLED} distinct resources`, settled),
    ...figuresOf(`after ${ALL} distinct resources`, end),
    {
      what: `heap, growth from ${SETTLED} to ${ALL} resources`,
      value: growth,
      unit: 'MiB',
      target: ALLOWED_GROWTH_MIB,
    },
  ];
}

function figuresOf(when: string, { heapMib, rssMib }: Memory): readonly Figure[] {
  return [
    { what: `heap ${when}`, value: heapMib, unit: 'MiB' },
    { what: `resident ${when}`, value: rssMib, unit: 'MiB' },
  ];
}

/** What is held after a collection of all that is not. Throws when the process was started without `--expose-gc`. */
async function memoryNow(): Promise<Memory> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('start the bench with node --expose-gc');
  await collect({ type: 'major', execution: 'async' });
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMib: heapUsed / MIB, rssMib: rss / MIB };
}
