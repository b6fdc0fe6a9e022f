/** `istio-operator diff`: how the cluster differs from what a file asks for, as `kubectl diff` shows it. */
import type { PreviewedChange } from '../apply/preview-plan.ts';
import { patchFromLive } from '../core/object-patch.ts';
import { displayRef } from '../model/object.ts';
import { actualChanges } from './changes.ts';
import { EXIT, Trouble } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment } from './environment.ts';
import { prospectOf, refuseFailures } from './prospect.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { withConnection } from './session.ts';
import { coloured } from './coloured-patch.ts';

export type DiffOptions = InstallationFlags & ClusterChoice;

/** Prints a unified diff from live to wanted. Exit code 0: none; 1: some; a Trouble is thrown for what can't be told. */
export async function diffLive(environment: CommandEnvironment, options: DiffOptions): Promise<number> {
  try {
    const prospect = await withConnection(environment, options, (connection) =>
      prospectOf(environment, connection, options),
    );
    const changes = actualChanges(prospect.preview);
    environment.terminal.print(coloured(environment.terminal, changes.map(patchOf).join('')));
    refuseFailures(prospect);
    return changes.length === 0 ? EXIT.ok : EXIT.differences;
  } catch (error) {
    throw new Trouble(error);
  }
}

function patchOf({ change, live, after }: PreviewedChange): string {
  return patchFromLive({ name: displayRef(change.ref), live, after });
}
