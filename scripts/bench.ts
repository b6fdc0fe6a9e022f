/** `npm run bench`: what matters to users of a slow machine, measured and beside its target. */
import { fileURLToPath } from 'node:url';
import { loadAssets } from '../src/assets/load.ts';
import { createPlanner } from '../src/core/plan.ts';
import { measureProgram } from './bench/command.ts';
import { figureTable } from './bench/figure.ts';
import type { Figure } from './bench/figure.ts';
import { measureInstallation } from './bench/install.ts';
import { renderFigures } from './bench/render.ts';

const PROGRAM = fileURLToPath(new URL('../dist/main.mjs', import.meta.url));
const COMMAND_RUNS = 9;
const FACTS = { kubernetesVersion: 'v1.34.4' };

async function planFigures(): Promise<readonly Figure[]> {
  const assets = await loadAssets();
  const planner = createPlanner(assets);
  const plan = (profile: string): void => {
    const result = planner({ layers: [{ spec: { profile }, source: 'bench' }], facts: FACTS });
    if (result.kind === 'invalid') throw new Error(`the profile ${profile} can not be planned`);
  };
  return renderFigures([...assets.profiles.keys()], plan);
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
    { what: 'first apply of demo to HEALTHY', value: healthyMs / 1000, unit: 's', target: 6 },
    { what: 'operator, resident after it', value: operatorRssMib, unit: 'MiB', target: 110 },
  ];
}

// One after the other, so that they do not disturb each other.
const figures = [...(await planFigures()), ...(await commandFigures()), ...(await installFigures())];
console.log(figureTable(figures));
