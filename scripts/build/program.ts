/** Builds the program with all that belongs beside it. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { licencesOf } from './licences.ts';
import { packagesOf } from './packages.ts';
import { productOf } from './product.ts';
import { billOfMaterials } from './sbom.ts';
import type { Part } from './sbom.ts';

const HASHBANG = '#!/usr/bin/env node\n';

export interface BuiltProgram {
  /** The modules, without the maps for debuggers. */
  readonly modules: readonly { readonly path: string; readonly bytes: number }[];
  /** The packages whose code they contain. */
  readonly parts: readonly Part[];
}

/** Writes `main.mjs`, the planning thread, their chunks, the licences and the bill of materials of what they contain into an empty `dist`. */
export async function buildProgram(root: string, dist: string): Promise<BuiltProgram> {
  const entry = join(root, 'src/main.ts');
  if (!(await readFile(entry, 'utf8')).startsWith(HASHBANG)) {
    throw new Error(`${entry} must begin with ${HASHBANG.trim()}: it becomes an executable`);
  }
  await rm(dist, { recursive: true, force: true });
  const entries = { main: entry, 'plan-worker': join(root, 'src/plan-worker.ts') };
  const metafile = await bundle({ entries, outdir: dist });
  await chmod(join(dist, 'main.mjs'), 0o755);
  const packages = await packagesOf(metafile, root);
  await writeFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), await licencesOf(packages));
  const parts = packages.map((part) => ({ ...part, source: 'npm' }) as const);
  const product = { ...(await productOf(root)), kind: 'application' } as const;
  await writeFile(join(dist, 'sbom.cdx.json'), billOfMaterials(product, parts));
  const outputs = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.mjs'));
  return { modules: outputs.map(([path, { bytes }]) => ({ path, bytes })), parts };
}
