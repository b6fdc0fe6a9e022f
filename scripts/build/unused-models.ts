/** Leaves the API models of @kubernetes/client-node out, of which reading a kubeconfig needs none. */
import type { Plugin } from 'esbuild';

const FROM_LIBRARY = /[\\/]node_modules[\\/]@kubernetes[\\/]client-node[\\/]/;
const GENERATED = /[\\/]@kubernetes[\\/]client-node[\\/]dist[\\/]gen[\\/]/;
const SEEN = { seen: true } as const;

/**
 * Tells esbuild that the generated modules of the library do nothing but declare, which its package.json does not say: so
 * those that nobody uses are left out, 330 KiB that were loaded with every kubeconfig.
 */
export function unusedModels(): Plugin {
  return {
    name: 'unused-models',
    setup(build) {
      build.onResolve({ filter: /^\./ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === SEEN || !FROM_LIBRARY.test(importer)) return undefined;
        const resolved = await build.resolve(path, { importer, resolveDir, kind, pluginData: SEEN });
        return GENERATED.test(resolved.path) ? { ...resolved, sideEffects: false } : resolved;
      });
    },
  };
}
