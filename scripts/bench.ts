/**
 * `npm run bench [-- [--record] [NAME...]]`: what matters to users of a slow machine, measured and beside its target.
 * Without names everything is measured, which takes some minutes. With `--record` the figures replace the last ones of
 * the same benches in docs/performance.md.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAssets } from '../src/assets/load.ts';
import { createPlanner } from '../src/core/plan.ts';
import type { JsonObject } from '../src/model/json.ts';
import { measureProgram } from './bench/command.ts';
import { driftFigures } from './bench/drift.ts';
import { figureTable } from './bench/figure.ts';
import type { Figure } from './bench/figure.ts';
import { measureInstallation } from './bench/install.ts';
import { manyFigures } from './bench/many.ts';
import { memoryFigures } from './bench/memory.ts';
import type { BenchName } from './bench/record.ts';
import { BENCH_NAMES, isBenchName, recordBench } from './bench/record.ts';
import { renderFigures } from './bench/render.ts';
import { restFigures } from './bench/rest.ts';
import { collectFiles, writeFiles } from './generated-files.ts';
import * as performanceDocs from './performance-docs.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../dist/main.mjs', import.meta.url));
const COMMAND_RUNS = 9;
const FACTS = { kubernetesVersion: 'v1.34.4' };

async function planFigures(): Promise<readonly Figure[]> {
  const assets = await loadAssets();
  const planner = createPlanner(assets);
  const plan = (spec: JsonObject): void => {
    const result = planner({ layers: [{ spec, source: 'bench' }], facts: FACTS });
    if (result.kind === 'invalid') throw new Error(`${JSON.stringify(spec)} can not be planned`);
  };
  const profiles = [...assets.profiles.keys()];
  // First, so that nothing else is in the heap.
  const memory = await memoryFigures((index) => plan(distinctSpec(profiles, index)));
  return [...(await renderFigures(profiles, (profile) => plan({ profile }))), ...memory];
}

/** All profiles in turn, with names and texts that occur once only: whatever is kept by such a key would pile up. */
function distinctSpec(profiles: readonly string[], index: number): JsonObject {
  const name = `gateway-${index}`;
  const overlay = { path: `metadata.annotations.a${index}`, value: name };
  return {
    profile: profiles[index % profiles.length] ?? 'default',
    revision: `r${index}`,
    components: {
      ingressGateways: [
        {
          name,
          namespace: 'istio-system',
          label: { app: name },
          k8s: { overlays: [{ kind: 'Service', name, patches: [overlay] }] },
        },
      ],
    },
    values: { pilot: { env: { [`VARIABLE_${index}`]: name } } },
  };
}

async function commandFigures(): Promise<readonly Figure[]> {
  const command = ['manifest', 'generate', '--set', 'profile=default'];
  const { wallMs, maxRssMib } = await measureProgram([PROGRAM, ...command], COMMAND_RUNS);
  const what = 'manifest generate of default';
  return [
    { what: `${what}, whole process, median`, value: wallMs, unit: 'ms', target: 250 },
    { what: `${what}, largest resident memory`, value: maxRssMib, unit: 'MiB', target: 110 },
  ];
}

async function installFigures(): Promise<readonly Figure[]> {
  const { healthyMs, operatorRssMib } = await measureInstallation(PROGRAM);
  return [
    {
      what: 'first apply of demo to HEALTHY',
      value: healthyMs / 1000,
      unit: 's',
      target: 5,
      former: '10.2 s',
    },
    {
      what: 'operator, resident after it',
      value: operatorRssMib,
      unit: 'MiB',
      target: 110,
      former: '131 MiB',
    },
  ];
}

const BENCHES: Readonly<Record<BenchName, () => Promise<readonly Figure[]>>> = {
  plan: planFigures,
  command: commandFigures,
  install: installFigures,
  rest: () => restFigures(PROGRAM),
  drift: () => driftFigures(PROGRAM),
  many: () => manyFigures(PROGRAM),
};

function chosen(names: readonly string[]): readonly BenchName[] {
  const unknown = names.find((name) => !isBenchName(name));
  if (unknown === undefined) return names.length === 0 ? BENCH_NAMES : names.filter(isBenchName);
  throw new Error(`there is no bench ${JSON.stringify(unknown)}; there are ${BENCH_NAMES.join(', ')}`);
}

const { values, positionals } = parseArgs({
  options: { record: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const figures: Figure[] = [];
// One after the other, so that they do not disturb each other.
for (const name of chosen(positionals)) {
  console.error(`measuring ${name} ...`);
  try {
    const measured = await BENCHES[name]();
    figures.push(...measured);
    if (values.record) await recordBench(name, measured);
  } catch (error) {
    // What was measured before and what comes after still counts.
    console.error(`${name} could not be measured:`, error);
    process.exitCode = 1;
  }
}
console.log(figureTable(figures));
if (values.record) await writeFiles(ROOT, await collectFiles(ROOT, [performanceDocs]));
