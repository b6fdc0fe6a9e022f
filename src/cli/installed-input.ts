/** What a command is about: what files and flags ask for, or what is installed. */
import type { PlanInput } from '../core/plan.ts';
import { createPlanner } from '../core/plan.ts';
import type { K8sObject } from '../model/object.ts';
import { annotationsOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterChoice, CommandEnvironment, Connection } from './environment.ts';
import { CommandError, failure } from './command-error.ts';
import { factsOf } from './cluster-facts.ts';
import type { Installation } from './installation.ts';
import { displayOwner, listInstallations } from './installation.ts';
import { annotationsIn, readLayers, setsOf } from './manifest-generate.ts';
import { readOwnProfiles } from './own-profiles.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { ownerFor, requestedInstallation } from './requested-installation.ts';
import { withConnection } from './session.ts';

export interface SubjectFlags extends InstallationFlags, ClusterChoice {
  /** Asks no cluster. */
  readonly offline: boolean;
}

/** Something planned, and where to look for what is there of it. */
export interface Subject {
  readonly input: PlanInput;
  readonly plan: Plan;
  /** Reads what is in the cluster; absent when no cluster is asked. */
  readonly read?: (object: K8sObject) => Promise<K8sObject | undefined>;
}

/**
 * Plans what files and flags ask for; without them, each installation of the cluster. With `offline` no cluster is asked,
 * and without files the default profile is meant.
 */
export async function withSubjects<T>(
  environment: CommandEnvironment,
  flags: SubjectFlags,
  work: (subjects: readonly Subject[]) => Promise<T>,
): Promise<T> {
  if (flags.offline) return work([await offlineSubject(environment, flags)]);
  return withConnection(environment, flags, async (connection) => {
    const read = async (object: K8sObject): Promise<K8sObject | undefined> =>
      connection.cluster.get(
        { ...object.metadata, apiVersion: object.apiVersion, kind: object.kind },
        { signal: environment.signal },
      );
    const isAsked = flags.filename.length > 0 || flags.set.length > 0;
    const subjects = isAsked
      ? [await requestedInstallation(environment, connection, flags)]
      : await installedSubjects(environment, connection);
    return work(subjects.map(({ input, plan }) => ({ input, plan, read })));
  });
}

async function offlineSubject(environment: CommandEnvironment, flags: SubjectFlags): Promise<Subject> {
  const [assets, layers, facts] = await Promise.all([
    environment.loadAssets(),
    readLayers(environment, flags.filename),
    factsOf(environment, {}),
  ]);
  const planner = createPlanner(assets);
  const sets = setsOf(flags);
  const own = await readOwnProfiles(environment, layers, sets);
  const input = { layers, sets, ...own, annotations: annotationsIn(layers), facts };
  const owner = ownerFor(layers, planned(planner, input), flags);
  return { input: { ...input, owner }, plan: planned(planner, { ...input, owner }) };
}

async function installedSubjects(
  environment: CommandEnvironment,
  { cluster }: Connection,
): Promise<readonly Subject[]> {
  const { signal } = environment;
  const [assets, installations, kubernetesVersion] = await Promise.all([
    environment.loadAssets(),
    listInstallations(cluster, { signal }),
    cluster.serverVersion({ signal }),
  ]);
  const known = installations.filter(({ spec }) => spec !== undefined);
  if (known.length === 0) {
    throw failure(
      'noSuchInstallation',
      'nothing is installed that tells what was asked for',
      'Give the file with -f; --offline asks no cluster.',
    );
  }
  const planner = createPlanner(assets);
  return known.map((installation) => {
    const input = { ...inputOf(installation), facts: { kubernetesVersion } };
    return { input, plan: planned(planner, input) };
  });
}

function inputOf({ kind, owner, spec = {}, version, object }: Installation): Omit<PlanInput, 'facts'> {
  const noun = kind === 'resource' ? 'IstioOperator' : 'installation';
  return {
    layers: [{ spec, source: `${noun} ${displayOwner(owner)}` }],
    owner,
    ...(kind === 'resource' ? { annotations: annotationsOf(object) } : {}),
    ...(version === '' ? {} : { installedVersion: version }),
  };
}

function planned(planner: ReturnType<typeof createPlanner>, input: PlanInput): Plan {
  const result = planner(input);
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  return result.plan;
}
