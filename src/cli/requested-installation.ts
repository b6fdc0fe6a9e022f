/** What the files and flags of a command ask for, planned for the cluster at hand. */
import { createPlanner } from '../core/plan.ts';
import type { NamedResource } from '../core/spec/documents.ts';
import type { Owner, Plan, PlanResult } from '../model/plan.ts';
import { CommandError, sayDiagnostics } from './command-error.ts';
import type { CommandEnvironment, Connection } from './environment.ts';
import type { RequestFlags } from './manifest-generate.ts';
import { readLayers, setsOf } from './manifest-generate.ts';
import { readOwnProfiles } from './own-profiles.ts';

export type InstallationFlags = RequestFlags;

export interface RequestedInstallation {
  readonly owner: Owner;
  readonly plan: Plan;
}

/** Plans as the operator in the cluster would, and tells warnings. Throws a CommandError for what cannot be planned. */
export async function requestedInstallation(
  environment: CommandEnvironment,
  { cluster }: Connection,
  flags: InstallationFlags,
): Promise<RequestedInstallation> {
  const { loadAssets, signal, terminal } = environment;
  const [assets, layers, kubernetesVersion] = await Promise.all([
    loadAssets(),
    readLayers(environment, flags.filename),
    cluster.serverVersion({ signal }),
  ]);
  const planner = createPlanner(assets);
  const sets = setsOf(flags);
  const ownProfiles = await readOwnProfiles(environment, layers, sets);
  const input = { layers, sets, ...ownProfiles, facts: { kubernetesVersion } };
  // The owner depends on what is planned, and the objects carry the owner.
  const owner = ownerFor(layers, planned(planner(input)), flags);
  const plan = planned(planner({ ...input, owner }));
  sayDiagnostics(terminal, plan.warnings);
  return { owner, plan };
}

function planned(result: PlanResult): Plan {
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  return result.plan;
}

/** Upstream's name for what was installed from no file. */
const DEFAULT_NAME = 'installed-state';

/**
 * The IstioOperator that a file describes owns what it installs. A revision that comes by flag, or stands in a file
 * without a name, is an installation of its own: otherwise a canary would prune what it is to stand beside.
 */
export function ownerFor(
  layers: readonly Pick<NamedResource, 'name' | 'namespace'>[],
  { revision, namespace }: Pick<Plan, 'revision' | 'namespace'>,
  flags: Pick<InstallationFlags, 'revision'>,
): Owner {
  const named = layers.findLast(({ name }) => name !== undefined)?.name;
  const placed = layers.findLast((layer) => layer.namespace !== undefined)?.namespace;
  const isApart = revision !== '' && (named === undefined || flags.revision !== undefined);
  const name = named ?? DEFAULT_NAME;
  return { name: isApart ? `${name}-${revision}` : name, namespace: placed ?? namespace };
}
