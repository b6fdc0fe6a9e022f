/** `npm run build`: the program in dist/, with the licences of what it contains. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './build/bundle.ts';
import { licencesOf } from './build/licences.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const ENTRY = join(ROOT, 'src/main.ts');
const PLAN_WORKER = join(ROOT, 'src/plan-worker.ts');
const HASHBANG = '#!/usr/bin/env node\n';

if (!(await readFile(ENTRY, 'utf8')).startsWith(HASHBANG)) {
  throw new Error(`${ENTRY} must begin with ${HASHBANG.trim()}: it becomes an executable`);
}
await rm(DIST, { recursive: true, force: true });
const metafile = await bundle({ entries: { main: ENTRY, 'plan-worker': PLAN_WORKER }, outdir: DIST });
await chmod(join(DIST, 'main.mjs'), 0o755);
await writeFile(join(DIST, 'THIRD-PARTY-LICENSES.txt'), await licencesOf(metafile, ROOT));
const outputs = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.mjs'));
const kibibytes = outputs.reduce((sum, [, { bytes }]) => sum + bytes, 0) / 1024;
console.log(`Built dist/main.mjs: ${outputs.length} modules, ${kibibytes.toFixed(0)} KiB`);
