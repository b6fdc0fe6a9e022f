/**
 * `npm run image [-- --arch amd64,arm64] [--output FOLDER]`: the operator's image as an OCI layout and as one archive,
 * without any container engine, and a bill of materials beside them. The same sources give the same digest.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cachePath } from '../e2e/control-plane/cache-folder.ts';
import { ARCHITECTURES } from './image/architectures.ts';
import type { Architecture } from './image/architectures.ts';
import { makeImage } from './image/make-image.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = cachePath(process.env, 'image');

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: 'amd64' },
    output: { type: 'string', default: join(ROOT, 'image') },
  },
});
const report = await makeImage({
  root: ROOT,
  architectures: values.arch.split(',').map(architectureNamed),
  output: values.output,
  cache: CACHE,
  // What reproducible builds set; without it, images carry no time at all.
  epoch: new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000),
});
console.log(`${report.archive}\n${report.digest}`);

function architectureNamed(name: string): Architecture {
  const found = ARCHITECTURES.find((architecture) => architecture.name === name);
  if (found !== undefined) return found;
  throw new Error(`--arch: "${name}" is none of ${ARCHITECTURES.map((each) => each.name).join(', ')}`);
}
