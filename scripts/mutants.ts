/**
 * `npm run mutants [-- AREA...]`: changes the code of `mutants/safety-code.ts` in one place after another and runs its
 * tests against each change. Prints a line for each module, and what no test noticed; fails when a module has less than
 * `FLOOR` of its changes noticed.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { withTests } from './mutants/mocha-runner.ts';
import { SAFETY_CODE } from './mutants/safety-code.ts';
import type { SafetyArea } from './mutants/safety-code.ts';
import { isBelow, printScore, scoresOf, survivorsOf } from './mutants/score.ts';
import type { ModuleScore } from './mutants/score.ts';

/** In percent. */
const FLOOR = 90;
const FOLDER = 'coverage/mutants';

async function scoresIn({ name, modules, tests }: SafetyArea): Promise<readonly ModuleScore[]> {
  const mutants = await new Stryker({
    mutate: [...modules],
    ...withTests(tests),
    configFile: 'scripts/mutants/stryker.json',
    plugins: [fileURLToPath(new URL('mutants/mocha-runner.ts', import.meta.url))],
    tempDirName: `${FOLDER}/sandbox`,
    htmlReporter: { fileName: `${FOLDER}/${name}.html` },
  }).runMutationTest();
  await writeFile(`${FOLDER}/${name}.survivors.txt`, survivorsOf(mutants));
  return scoresOf(modules, mutants);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !SAFETY_CODE.some((area) => area.name === name));
if (unknown.length > 0) throw new Error(`no area of the safety code: ${unknown.join(', ')}`);
await mkdir(FOLDER, { recursive: true });
for (const area of SAFETY_CODE) {
  if (asked.length > 0 && !asked.includes(area.name)) continue;
  for (const score of await scoresIn(area)) {
    console.log(printScore(score, FLOOR));
    if (isBelow(score, FLOOR)) process.exitCode = 1;
  }
}
console.log(`what no test noticed is listed in ${FOLDER}/`);
