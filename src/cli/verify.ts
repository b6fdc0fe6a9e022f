/** `istio-operator verify`: whether everything that belongs to an installation is there and works. */
import { displayRef, refOf } from '../model/object.ts';
import type { ObjectRef } from '../model/object.ts';
import { objectsOf } from '../model/plan.ts';
import { EXIT, failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import type { InspectedObject } from './inspection.ts';
import { describeTrouble, inspect } from './inspection.ts';
import type { Installation } from './installation.ts';
import { displayOwner, listInstallations } from './installation.ts';
import { healthOf } from './installation-health.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { requestedInstallation } from './requested-installation.ts';
import { withConnection } from './session.ts';
import { counted } from './table.ts';

export interface VerifyOptions extends InstallationFlags, ClusterChoice {
  readonly name?: string;
  /** All namespaces when absent. */
  readonly namespace?: string;
}

interface Subject {
  readonly display: string;
  readonly refs: readonly ObjectRef[];
  readonly installation?: Installation;
}

/** Prints a line for each object that is missing or does not work. Exit code 1 when there is one, or nothing to verify. */
export async function verify(environment: CommandEnvironment, options: VerifyOptions): Promise<number> {
  const { signal, terminal } = environment;
  return withConnection(environment, options, async (connection) => {
    const subjects = await subjectsOf(environment, connection, options);
    if (subjects.length === 0) {
      throw failure('noSuchInstallation', 'there is no such installation', 'See istio-operator status.');
    }
    const complaints: string[] = [];
    for (const { display, refs, installation } of subjects) {
      const objects = await inspect(connection.cluster, refs, signal);
      const found = complaintsAbout(objects, installation);
      complaints.push(...found);
      for (const line of found) terminal.print(`${line}\n`);
      const word =
        found.length === 0 ? terminal.style('green', 'verified') : terminal.style('red', 'not complete');
      terminal.say(`${display}: ${word}, ${counted(objects.length, 'object')} checked`);
    }
    return complaints.length === 0 ? EXIT.ok : EXIT.failed;
  });
}

/** With files or flags, what they ask for; otherwise what is written down as installed. */
async function subjectsOf(
  environment: CommandEnvironment,
  connection: Connection,
  options: VerifyOptions,
): Promise<readonly Subject[]> {
  const { filename, set, name, namespace } = options;
  if (filename.length > 0 || set.length > 0) {
    const { owner, plan } = await requestedInstallation(environment, connection, options);
    return [{ display: displayOwner(owner), refs: objectsOf(plan).map(refOf) }];
  }
  const selection = { signal: environment.signal, ...(namespace === undefined ? {} : { namespace }) };
  const all = await listInstallations(connection.cluster, selection);
  return all
    .filter(
      ({ owner, revision }) =>
        (name ?? owner.name) === owner.name && (options.revision ?? revision) === revision,
    )
    .map((installation) => ({
      display: displayOwner(installation.owner),
      refs: installation.inventory,
      installation,
    }));
}

/** A resource that is not ready is not verified, even if what was installed before it still stands. */
function complaintsAbout(
  objects: readonly InspectedObject[],
  installation: Installation | undefined,
): readonly string[] {
  const troubles = objects.filter(({ state }) => state !== 'ready').map(describeTrouble);
  if (installation?.kind !== 'resource') return troubles;
  const { status, message } = healthOf(installation, objects);
  if (status === 'HEALTHY') return troubles;
  return [...troubles, `${displayRef(refOf(installation.object))}: ${status}: ${message}`];
}
