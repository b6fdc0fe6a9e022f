/**
 * `npm run generate` writes every generated file. `npm run verify` (`--check`) writes nothing and fails when one of
 * them is stale.
 */
import { fileURLToPath } from 'node:url';
import * as chart from './chart.ts';
import * as cliDocs from './cli-docs.ts';
import * as dashboards from './dashboards.ts';
import * as deployedCrd from './deployed-crd.ts';
import { collectFiles, staleFiles, writeFiles } from './generated-files.ts';
import type { Generator } from './generated-files.ts';
import * as hardened from './hardened.ts';
import * as layerDocs from './layer-docs.ts';
import * as layerRules from './layer-rules.ts';
import * as performanceDocs from './performance-docs.ts';
import * as rbac from './rbac.ts';
import * as referenceDocs from './reference-docs.ts';
import * as reliabilityDocs from './reliability-docs.ts';
import * as specTypes from './spec-types.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GENERATORS: readonly Generator[] = [
  { name: layerRules.name, generate: layerRules.generate },
  { name: layerDocs.name, generate: layerDocs.generate },
  { name: specTypes.name, generate: specTypes.generate },
  { name: deployedCrd.name, generate: deployedCrd.generate },
  { name: rbac.name, generate: rbac.generate },
  { name: hardened.name, generate: hardened.generate },
  { name: chart.name, generate: chart.generate },
  { name: referenceDocs.name, generate: referenceDocs.generate },
  { name: performanceDocs.name, generate: performanceDocs.generate },
  { name: reliabilityDocs.name, generate: reliabilityDocs.generate },
  { name: cliDocs.name, generate: cliDocs.generate },
  { name: dashboards.name, generate: dashboards.generate },
];

const stale = await staleFiles(ROOT, await collectFiles(ROOT, GENERATORS));
if (!process.argv.includes('--check')) {
  await writeFiles(ROOT, stale);
  for (const { path, madeBy } of stale) console.log(`wrote ${path} (${madeBy})`);
} else if (stale.length > 0) {
  for (const { path, madeBy } of stale) console.error(`stale: ${path} (${madeBy})`);
  console.error('Run "npm run generate" and commit what it changes.');
  process.exitCode = 1;
}
