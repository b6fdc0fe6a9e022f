/** `istio-operator profile`: what the profiles are and what they come to. */
import type { Planner, PlanInput } from '../core/plan.ts';
import { createPlanner } from '../core/plan.ts';
import { DEFAULT_RELEASE } from '../core/releases.ts';
import type { NamedResource } from '../core/spec/documents.ts';
import { printGoYaml, printYaml } from '../core/yaml.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, mapAt } from '../model/json.ts';
import type { Plan } from '../model/plan.ts';
import { CommandError, EXIT, failure, sayDiagnostics, Trouble } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import type { RequestFlags } from './manifest-generate.ts';
import { annotationsIn, readLayers, setsOf } from './manifest-generate.ts';
import { readOwnProfiles } from './own-profiles.ts';
import { coloured } from './coloured-patch.ts';

export type ManifestsFlags = Pick<RequestFlags, 'manifests' | 'charts'>;

export async function listProfiles(
  environment: CommandEnvironment,
  options: ManifestsFlags,
): Promise<number> {
  const { profiles } = await environment.loadAssets();
  const { ownProfiles } = await readOwnProfiles(environment, [], setsOf({ set: [], ...options }));
  const names = ownProfiles === undefined ? profiles.keys() : ['default', ...ownProfiles.keys()];
  environment.terminal.print(`${[...new Set(names)].toSorted().join('\n')}\n`);
  return EXIT.ok;
}

export interface DumpOptions extends ManifestsFlags {
  readonly filename: readonly string[];
  readonly set: readonly string[];
  /** Below `spec`, such as `components.pilot`. */
  readonly configPath?: string;
  readonly output: 'yaml' | 'json';
}

/**
 * Prints the merged specification as an IstioOperator that means the same with any profile below it, or just what
 * stands at a path of it.
 */
export async function dumpProfile(
  environment: CommandEnvironment,
  profile: string | undefined,
  options: DumpOptions,
): Promise<number> {
  const layers = await readLayers(environment, options.filename);
  const named = profile === undefined ? [] : [`profile=${profile}`];
  const planner = createPlanner(await environment.loadAssets());
  const sets = setsOf({ ...options, set: [...named, ...options.set] });
  const own = await readOwnProfiles(environment, layers, sets);
  const { spec, warnings } = merged(planner, { layers, sets, ...own });
  sayDiagnostics(environment.terminal, warnings);
  const shown = options.configPath === undefined ? resource(spec) : partOf(spec, options.configPath);
  environment.terminal.print(
    options.output === 'json' ? `${JSON.stringify(shown, null, 2)}\n` : printYaml(shown),
  );
  return EXIT.ok;
}

/** Prints a unified diff of two profiles. Exit code 0: none; 1: some; throws a Trouble for the rest. */
export async function diffProfiles(
  environment: CommandEnvironment,
  [from, to]: readonly [string, string],
  options: ManifestsFlags,
): Promise<number> {
  try {
    const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
    const planner = createPlanner(await environment.loadAssets());
    const before = await textOfProfile(environment, planner, { profile: from, ...options });
    const after = await textOfProfile(environment, planner, { profile: to, ...options });
    if (before === after) return EXIT.ok;
    const headers = { headerOptions: FILE_HEADERS_ONLY };
    const patch = createTwoFilesPatch(from, to, before, after, undefined, undefined, headers);
    environment.terminal.print(coloured(environment.terminal, patch));
    return EXIT.differences;
  } catch (error) {
    throw new Trouble(error);
  }
}

/** With sorted keys, and without the profile's own name, which always differs. */
async function textOfProfile(
  environment: CommandEnvironment,
  planner: Planner,
  { profile, ...options }: ManifestsFlags & { readonly profile: string },
): Promise<string> {
  const sets = setsOf({ set: [`profile=${profile}`], ...options });
  const own = await readOwnProfiles(environment, [], sets);
  const { profile: _name, ...spec } = merged(planner, { layers: [], sets, ...own }).spec;
  return printGoYaml(resource(spec));
}

interface MergeInput extends Pick<PlanInput, 'sets' | 'ownProfiles'> {
  readonly layers: readonly NamedResource[];
}

function merged(planner: Planner, input: MergeInput): Plan {
  const facts = { kubernetesVersion: DEFAULT_RELEASE.assumedKubernetes };
  const result = planner({ ...input, annotations: annotationsIn(input.layers), facts });
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  return result.plan;
}

function resource(spec: JsonObject): JsonObject {
  return { apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', spec };
}

/** Paths of upstream's users may begin with `spec`, and count list elements: `components.ingressGateways[0]`. */
function partOf(spec: JsonObject, path: string): JsonValue {
  const steps = [...path.replace(/^spec(?=\.|$)\.?/u, '').matchAll(/[^.[\]]+/gu)].map(([step]) =>
    /^\d+$/u.test(step) ? Number(step) : step,
  );
  const part = at(spec, ...steps);
  if (part !== undefined) return part;
  const parent = mapAt(spec, ...steps.slice(0, -1));
  const known = Object.keys(parent).toSorted().join(', ');
  throw failure(
    'unknownConfigPath',
    `there is nothing at ${path}`,
    known === '' ? 'Look at the whole profile: leave --config-path out.' : `Beside it are: ${known}.`,
  );
}
