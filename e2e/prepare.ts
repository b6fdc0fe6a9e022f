/** Builds everything that the end-to-end suites run and that is not ours; at once when that was done before. */
import { fileURLToPath } from 'node:url';
import { prometheusPrograms } from './addons/prometheus-programs.ts';
import { findBinaries, standardSearch } from './control-plane/binaries.ts';
import { callGo } from './control-plane/go-module.ts';

const GO_MODULES = ['delivery/helm/', 'faults/kstatus/'] as const;

/**
 * Takes some twenty minutes on a cold machine with two processors, so it comes before everything that waits for
 * deadlines. Rejects when the control plane cannot be had; whoever needs another one of the programs says why it is
 * missing.
 */
export async function prepare(): Promise<void> {
  await findBinaries(standardSearch(process.env));
  await prometheusPrograms();
  for (const module of GO_MODULES) {
    const folder = fileURLToPath(new URL(module, import.meta.url));
    await callGo({ module: folder, args: ['build', '-o', '/dev/null', '.'] }).catch(() => undefined);
  }
}
