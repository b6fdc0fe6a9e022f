/** What the files and flags of a command ask for, planned for the cluster at hand. */
import { diagnose } from '../core/diagnostics.ts';
import { besideInjectors } from '../core/objects/beside-injectors.ts';
import {
  DEFAULT_REVISION,
  isInjector,
  revisionOfInjector,
  tagOf,
  targetOfInjector,
} from '../core/objects/injectors.ts';
import { createPlanner } from '../core/plan.ts';
import type { PlanInput } from '../core/plan.ts';
import type { NamedResource } from '../core/spec/documents.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Owner, Plan, PlanResult } from '../model/plan.ts';
import { objectsOf } from '../model/plan.ts';
import { CommandError, sayDiagnostics } from './command-error.ts';
import { injectorsOf } from './control-planes.ts';
import { factsFrom } from './cluster-facts.ts';
import type { CommandCluster, CommandEnvironment, Connection } from './environment.ts';
import { findInstallation } from './installation.ts';
import type { RequestFlags } from './manifest-generate.ts';
import { annotationsIn, readLayers, setsOf } from './manifest-generate.ts';
import { readOwnProfiles } from './own-profiles.ts';

export type InstallationFlags = RequestFlags;

export interface RequestedInstallation {
  readonly owner: Owner;
  readonly plan: Plan;
  /** What was planned. */
  readonly input: PlanInput;
}

/** Plans as the operator in the cluster would, and tells warnings. Throws a CommandError for what cannot be planned. */
export async function requestedInstallation(
  environment: CommandEnvironment,
  { cluster }: Connection,
  flags: InstallationFlags,
): Promise<RequestedInstallation> {
  const { loadAssets, signal, terminal } = environment;
  const [assets, layers, facts] = await Promise.all([
    loadAssets(),
    readLayers(environment, flags.filename),
    factsFrom(cluster, signal),
  ]);
  const planner = createPlanner(assets);
  const sets = setsOf(flags);
  const annotations = annotationsIn(layers);
  const ownProfiles = await readOwnProfiles(environment, layers, sets);
  const input = { layers, annotations, sets, ...ownProfiles, facts };
  // The owner depends on what is planned, and the objects carry the owner.
  const owner = ownerFor(layers, planned(planner(input)), flags);
  const owned = { ...input, owner, ...(await keptVersion(cluster, owner, signal)) };
  const alone = planned(planner(owned));
  const injectors = await injectorsOf(cluster, signal);
  const plan = besideInjectors(alone, injectors.all);
  sayDiagnostics(terminal, [...plan.warnings, ...postponedTag(alone, plan)]);
  return { owner, plan, input: owned };
}

/** Without the operator nobody brings the move of the default to its end. */
function postponedTag(alone: Plan, plan: Plan): readonly Diagnostic[] {
  const [wanted, given] = [alone, plan].map((each) =>
    objectsOf(each).find((object) => isInjector(object) && tagOf(object) === DEFAULT_REVISION),
  );
  if (wanted === undefined || given === undefined) return [];
  const [target, present] = [targetOfInjector(wanted), targetOfInjector(given)];
  if (target === present) return [];
  const finding = {
    path: ['spec', 'values', 'revisionTags'],
    cause: `the tag "default" calls ${present} and not ${target} for now, because the injector there still serves`,
    remedy: `Finish the move with: istio-operator tag set default --overwrite --revision ${revisionOfInjector(wanted)}.`,
  };
  return [diagnose('injectionConflict', finding)];
}

/** A resource without a tag stays on what the operator installed for it; its plan is the operator's. */
async function keptVersion(
  cluster: CommandCluster,
  owner: Owner,
  signal: AbortSignal,
): Promise<Pick<PlanInput, 'installedVersion'>> {
  const present = await findInstallation(cluster, owner, { signal });
  const isKept = present?.kind === 'resource' && present.version !== '';
  return isKept ? { installedVersion: present.version } : {};
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
