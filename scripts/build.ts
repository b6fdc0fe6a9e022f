/** `npm run build`: the program in dist/, with the licences and the bill of materials of what it contains. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from './build/program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { modules } = await buildProgram(ROOT, join(ROOT, 'dist'));
const kibibytes = modules.reduce((sum, { bytes }) => sum + bytes, 0) / 1024;
console.log(`Built dist/main.mjs: ${modules.length} modules, ${kibibytes.toFixed(0)} KiB`);
