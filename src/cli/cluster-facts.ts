/** What planning may know about a cluster, where there is none to ask. */
import { readYaml } from '../core/yaml.ts';
import { DEFAULT_RELEASE } from '../core/releases.ts';
import type { JsonValue } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import type { ClusterFacts } from '../model/plan.ts';
import { failure } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { nameOf, readText } from './manifest-files.ts';

export interface FactsOptions {
  /** YAML or JSON: the fields of ClusterFacts. */
  readonly clusterFacts?: string;
  /** Wins over the file. */
  readonly kubeVersion?: string;
}

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
  const unknown = Object.keys(tree).find((key) => key !== 'kubernetesVersion');
  if (unknown !== undefined) throw unusable(file, `there is no fact "${unknown}"`);
  const { kubernetesVersion } = tree;
  if (kubernetesVersion === undefined) return {};
  if (typeof kubernetesVersion !== 'string') throw unusable(file, 'kubernetesVersion is no text');
  return { kubernetesVersion };
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
