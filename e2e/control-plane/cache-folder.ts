/** Where downloads and builds are kept from one run to the next. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A path below the user's cache (XDG_CACHE_HOME; an empty one counts as none). Nothing is created. */
export function cachePath(
  env: Readonly<Record<string, string | undefined>>,
  ...path: readonly string[]
): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'istio-operator', ...path);
}
