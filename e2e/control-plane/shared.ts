/** One control plane for all end-to-end suites of a run; mocha-hooks.ts ends it. */
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';

let shared: Promise<ControlPlane> | undefined;

/**
 * The control plane that all suites share, with its audit log on; started by the first call. Suites keep apart by
 * using namespaces of their own and by deleting what they create outside of them. A suite that breaks the cluster on
 * purpose starts its own instead.
 */
export function sharedControlPlane(): Promise<ControlPlane> {
  shared ??= startControlPlane({ audit: true, verbose: process.env['CONTROL_PLANE_VERBOSE'] === '1' });
  return shared;
}

/** Ends the shared control plane, if it was ever asked for. */
export async function stopSharedControlPlane(): Promise<void> {
  const plane = await shared?.catch(() => undefined); // who asked for it was told already
  shared = undefined;
  await plane?.stop();
}
