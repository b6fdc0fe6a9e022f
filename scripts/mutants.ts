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
import { scoresOf, survivorsOf } from './mutants/score.ts';
import type { ModuleScore } from './mutants/score.ts';

/** In percent. */
const FLOOR = 90;
const FOLDER = 'coverage/mutants';

async function scoresIn({ name, modules, tests }: SafetyArea): Promise<readonly ModuleScore[]> {
  const mutants = await new Stryker({
    mutate: [...modules],
    ...withTests(tests),
    testRunner: 'mocha',
    plugins: [fileURLToPath(new URL('mutants/mocha-runner.ts', import.meta.url))],
    coverageAnalysis: 'perTest',
    // The machine of a developer has something else to do; and a busy one takes slow tests for endless loops.
    concurrency: 1,
    timeoutMS: 3_000,
    // Node.js strips the types of mutants as of anything else. Stryker would parse the last file with TypeScript's
    // programming interface, which version 7 has not.
    disableTypeChecks: false,
    ignorePatterns: ['/coverage', '/dist', '/docs', '/image', '/tsconfig.json'],
    tempDirName: `${FOLDER}/sandbox`,
    reporters: ['html'],
    htmlReporter: { fileName: `${FOLDER}/${name}.html` },
    warnings: { unknownOptions: false, slow: false },
    logLevel: 'warn',
    allowConsoleColors: false,
  }).runMutationTest();
  await writeFile(`${FOLDER}/${name}.survivors.txt`, survivorsOf(mutants));
  return scoresOf(modules, mutants);
}

const asked = process.argv.slice(2);
const areas = SAFETY_CODE.filter(({ name }) => asked.length === 0 || asked.includes(name));
await mkdir(FOLDER, { recursive: true });
let isBelow = areas.length === 0;
for (const area of areas) {
  for (const { module, percent, noticed, all } of await scoresIn(area)) {
    const isLow = !(percent >= FLOOR);
    isBelow ||= isLow;
    console.log(`${module.padEnd(36)} ${percent.toFixed(1).padStart(5)} %  ${noticed} of ${all}${isLow ? '  TOO LOW' : ''}`);
  }
}
console.log(`what no test noticed is in ${FOLDER}/`);
process.exitCode = isBelow ? 1 : 0;
