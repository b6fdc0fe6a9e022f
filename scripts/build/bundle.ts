import { build } from 'esbuild';
import type { Metafile, Plugin } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { compiledAssets } from './asset-module.ts';
import { unreadHttp } from './unread-http.ts';
import { unusedModels } from './unused-models.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Packages written as CommonJS ask for Node.js modules by `require`, which an ES module does not have. */
const REQUIRE_BANNER =
  "import { createRequire as createRequire__ } from 'node:module'; const require = createRequire__(import.meta.url);";

export interface BundleOptions {
  /** Modules to start from, by the name that each gets in the bundle, without ending. */
  readonly entries: Readonly<Record<string, string>>;
  readonly outdir: string;
  /** What the program says that it is, in place of what the sources say. */
  readonly version?: string;
}

/**
 * Bundles a program so that it runs with nothing else installed. What is imported on demand becomes a file of its
 * own, so that each command loads only what it needs. No code is generated from strings when it runs.
 */
export async function bundle({ entries, outdir, version }: BundleOptions): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { ...entries },
    outdir,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    assetNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none', // THIRD-PARTY-LICENSES.txt has the whole texts
    metafile: true,
    banner: { js: REQUIRE_BANNER },
    // All templates are compiled beforehand, so the bundle needs only the part that runs them.
    alias: { handlebars: 'handlebars/runtime' },
    plugins: [
      compiledAssets(),
      unreadHttp(),
      unusedModels(),
      ...(version === undefined ? [] : [otherVersion(version)]),
    ],
    logLevel: 'warning',
  });
  return metafile;
}

function otherVersion(version: string): Plugin {
  return {
    name: 'other-version',
    setup: (bundling) => {
      bundling.onLoad({ filter: /[\\/]src[\\/]version\.ts$/ }, () => ({
        contents: `export const VERSION = ${JSON.stringify(version)};`,
        loader: 'ts',
      }));
    },
  };
}
