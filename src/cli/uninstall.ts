/** `istio-operator uninstall`: what `install` brought, out of the cluster. */
import { deleteInstallation } from '../apply/delete-installation.ts';
import { identities } from '../apply/inventory.ts';
import { diagnose } from '../core/diagnostics.ts';
import type { ObjectRef } from '../model/object.ts';
import { displayRef, identityOf } from '../model/object.ts';
import { CommandError, EXIT, failure } from './command-error.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import type { Installation } from './installation.ts';
import { deleteRecord, displayOwner, listInstallations, storeRecord } from './installation.ts';
import type { DryRun } from './options.ts';
import { purgeLeftovers } from './purge.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { requestedInstallation } from './requested-installation.ts';
import { confirm, withConnection } from './session.ts';
import { counted } from './table.ts';

export interface UninstallOptions extends InstallationFlags, ClusterChoice {
  readonly purge: boolean;
  readonly dryRun: DryRun;
  readonly skipConfirmation: boolean;
  readonly timeoutMs: number;
}

/**
 * Deletes what the records of the chosen installations list, and nothing else. Istio's own definitions, and so the
 * configuration that users wrote for the mesh, stay; with `purge` they go too, and all that istiod made while it ran.
 */
export async function uninstall(environment: CommandEnvironment, options: UninstallOptions): Promise<number> {
  return withConnection(environment, options, async (connection) => {
    const all = await listInstallations(connection.cluster, { signal: environment.signal });
    const chosen = options.purge ? all : await chosenInstallations(environment, connection, { all, options });
    refuseResources(chosen);
    sayWhatGoes(environment, connection, { chosen, purge: options.purge });
    if (options.dryRun !== 'none') return listWhatGoes(environment, chosen);
    if (!options.skipConfirmation) await confirm(environment, 'Proceed?');
    const others = all.filter((other) => !chosen.includes(other));
    for (const installation of chosen) {
      await deleteOne(environment, connection, { installation, others, timeoutMs: options.timeoutMs });
    }
    if (options.purge) await purgeLeftovers(environment, connection, chosen, options);
    // Last: until then they tell a second run what there is to do.
    for (const { owner } of chosen) await deleteRecord(connection.cluster, owner, environment);
    const stays = options.purge ? '' : " Istio's resource definitions and the namespaces stay.";
    environment.terminal.say(environment.terminal.style('green', `Uninstalled.${stays}`));
    return EXIT.ok;
  });
}

interface Choice {
  readonly all: readonly Installation[];
  readonly options: UninstallOptions;
}

async function chosenInstallations(
  environment: CommandEnvironment,
  connection: Connection,
  { all, options }: Choice,
): Promise<readonly Installation[]> {
  const { filename, set, revision } = options;
  if (filename.length > 0 || set.length > 0) {
    const { owner } = await requestedInstallation(environment, connection, options);
    const found = all.find((installation) => displayOwner(installation.owner) === displayOwner(owner));
    if (found === undefined) throw noSuch(`there is no installation ${displayOwner(owner)}`, all);
    return [found];
  }
  if (revision === undefined) {
    throw failure(
      'unclearTarget',
      'it is not said what to uninstall',
      'Give -f FILE, --revision NAME ("default" for the one without a name), or --purge for everything.',
    );
  }
  const found = all.filter((installation) => installation.revision === revision);
  if (found.length === 0) throw noSuch(`there is no installation of revision ${revision}`, all);
  return found;
}

function noSuch(cause: string, all: readonly Installation[]): CommandError {
  const names = all.map(({ owner, revision }) => `${displayOwner(owner)} (revision ${revision})`);
  const there = names.length === 0 ? 'Nothing is installed.' : `Installed are: ${names.join(', ')}.`;
  return failure('noSuchInstallation', cause, there);
}

/** The operator would put back what we delete. */
function refuseResources(chosen: readonly Installation[]): void {
  const resources = chosen.filter(({ kind }) => kind === 'resource');
  if (resources.length === 0) return;
  throw new CommandError(
    resources.map(({ owner }) =>
      diagnose('keptByOperator', {
        path: [],
        cause: `IstioOperator ${displayOwner(owner)} is in the cluster, and the operator keeps what it says`,
        remedy: `Delete it: kubectl delete istiooperator ${owner.name} -n ${owner.namespace}.`,
      }),
    ),
  );
}

function sayWhatGoes(
  { terminal }: CommandEnvironment,
  { server }: Connection,
  { chosen, purge }: { readonly chosen: readonly Installation[]; readonly purge: boolean },
): void {
  terminal.say(terminal.style('bold', `Uninstalling from ${server}:`));
  for (const { owner, version, revision, inventory } of chosen) {
    const size = counted(inventory.length, 'object');
    terminal.say(`  ${displayOwner(owner)}: ${size} of Istio ${version}, revision ${revision}`);
  }
  if (!purge) return;
  const namespaces = chosen.flatMap(({ madeNamespaces }) => madeNamespaces);
  terminal.say(
    terminal.style('red', "  Istio's resource definitions, with ALL Istio configuration of all namespaces"),
  );
  terminal.say('  what istiod made: certificate authority, root certificates in all namespaces, leases');
  for (const name of namespaces)
    terminal.say(terminal.style('red', `  namespace ${name} with all that is in it`));
}

function listWhatGoes({ terminal }: CommandEnvironment, chosen: readonly Installation[]): number {
  for (const { inventory } of chosen) {
    for (const entry of inventory) terminal.print(`- ${displayRef(entry)}\n`);
  }
  terminal.say('Nothing was changed: this was a dry run.');
  return EXIT.ok;
}

interface Deletion {
  readonly installation: Installation;
  /** Those that stay: what they list too is theirs from now on. */
  readonly others: readonly Installation[];
  readonly timeoutMs: number;
}

async function deleteOne(
  { clock, signal, terminal }: CommandEnvironment,
  { cluster }: Connection,
  { installation, others, timeoutMs }: Deletion,
): Promise<void> {
  const { owner, inventory } = installation;
  const shared = identities(others.flatMap((other) => other.inventory));
  const keep = (ref: ObjectRef): boolean => shared.has(identityOf(ref));
  const report = await deleteInstallation(
    { cluster, clock, recordInventory: async () => undefined },
    { signal, owner, inventory, timeoutMs, keep },
  );
  if (report.kind === 'deleted') {
    terminal.say(`  ${displayOwner(owner)} is gone`);
    return;
  }
  await storeRecord(cluster, owner, { ...installation, inventory: report.inventory }, { signal });
  throw new CommandError(
    report.remaining.map(({ ref, reason }) =>
      diagnose('notGone', {
        path: [],
        cause: `${displayRef(ref)}: ${reason.replace(/\.$/u, '')}`,
        remedy: 'Mend the cause and run the command again: it goes on where it stopped.',
      }),
    ),
  );
}
