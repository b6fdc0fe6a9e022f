/** Generates docs/reference/: the specification, the profiles and the diagnostics, each from what the operator uses. */
import { loadAssets } from '../src/assets/load.ts';
import { diagnosticsPage } from './reference-docs/diagnostics-page.ts';
import { profilesPage } from './reference-docs/profiles-page.ts';
import { readDefinition, specPage } from './reference-docs/spec-page.ts';

export const name = 'reference documentation';

export async function generate(): Promise<ReadonlyMap<string, string>> {
  const assets = await loadAssets();
  return new Map([
    ['docs/reference/spec.md', specPage(await readDefinition())],
    ['docs/reference/profiles.md', profilesPage(assets)],
    ['docs/reference/diagnostics.md', diagnosticsPage(assets)],
  ]);
}
