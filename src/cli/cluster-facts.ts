/** What planning may know about a cluster, be there one to ask or not. */
import { readinessOf } from '../apply/readiness.ts';
import { MONITORING_KINDS, servedName } from '../core/values/addons/monitors.ts';
import { readYaml } from '../core/yaml.ts';
import { DEFAULT_RELEASE } from '../core/releases.ts';
import type { JsonValue } from '../model/json.ts';
import { isJsonArray, isJsonObject } from '../model/json.ts';
import type { ClusterFacts } from '../model/plan.ts';
import { failure } from './command-error.ts';
import type { CommandCluster, CommandEnvironment } from './environment.ts';
import { nameOf, readText } from './manifest-files.ts';

export interface FactsOptions {
  /** YAML or JSON: the fields of ClusterFacts. */
  readonly clusterFacts?: string;
  /** Wins over the file. */
  readonly kubeVersion?: string;
}

/** The facts about a cluster that can be asked. Throws ClusterError. */
export async function factsFrom(cluster: CommandCluster, signal: AbortSignal): Promise<ClusterFacts> {
  const asked = MONITORING_KINDS.map(async ({ kind, definition }) => {
    const found = await cluster.get({ ...DEFINITION, name: definition }, { signal });
    return found !== undefined && readinessOf(found).kind === 'ready' ? [servedName(kind)] : [];
  });
  const [kubernetesVersion, ...served] = await Promise.all([cluster.serverVersion({ signal }), ...asked]);
  return { kubernetesVersion, servedKinds: served.flat() };
}

const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };

/** The facts that the options give; the rest is assumed as upstream does. */
export async function factsOf(environment: CommandEnvironment, options: FactsOptions): Promise<ClusterFacts> {
  const assumed: ClusterFacts = { kubernetesVersion: DEFAULT_RELEASE.assumedKubernetes };
  const { clusterFacts: file, kubeVersion } = options;
  const given = file === undefined ? {} : await readFacts(environment, file);
  return { ...assumed, ...given, ...(kubeVersion === undefined ? {} : { kubernetesVersion: kubeVersion }) };
}

async function readFacts(environment: CommandEnvironment, file: string): Promise<Partial<ClusterFacts>> {
  const tree = parsed(await readText(environment, file), file);
  if (!isJsonObject(tree)) throw unusable(file, 'it is no map');
  const unknown = Object.keys(tree).find((key) => !FACTS.includes(key));
  if (unknown !== undefined) throw unusable(file, `there is no fact "${unknown}"`);
  const { kubernetesVersion, servedKinds } = tree;
  if (kubernetesVersion !== undefined && typeof kubernetesVersion !== 'string')
    throw unusable(file, 'kubernetesVersion is no text');
  if (servedKinds !== undefined && !isListOfTexts(servedKinds))
    throw unusable(file, 'servedKinds is no list of texts');
  return {
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(servedKinds === undefined ? {} : { servedKinds }),
  };
}

const FACTS: readonly string[] = ['kubernetesVersion', 'servedKinds'] satisfies (keyof ClusterFacts)[];

function isListOfTexts(value: JsonValue): value is readonly string[] {
  return isJsonArray(value) && value.every((item) => typeof item === 'string');
}

function parsed(text: string, file: string): JsonValue {
  try {
    return readYaml(text);
  } catch (error) {
    throw unusable(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}

function unusable(file: string, cause: string): Error {
  return failure(
    'invalidFacts',
    `${nameOf(file)}: ${cause}`,
    'Give a file such as: kubernetesVersion: v1.34.0',
  );
}
