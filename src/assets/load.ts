import type { AssetBundle } from '../model/assets.ts';

/**
 * Loads the distribution: from the source tree, or from the bundle that `npm run build` made. Rejects with an
 * AssetError when a piece is missing or unusable. Imported on demand: not every command needs the assets.
 */
export async function loadAssets(): Promise<AssetBundle> {
  const { readAssets } = await import('./source.ts');
  return readAssets();
}
