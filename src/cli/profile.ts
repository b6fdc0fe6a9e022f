/** `istio-operator profile`: what the profiles are and what they come to. */
import type { Planner } from '../core/plan.ts';
import { createPlanner } from '../core/plan.ts';
import { DEFAULT_RELEASE } from '../core/releases.ts';
import type { NamedResource } from '../core/spec/documents.ts';
import { printGoYaml, printYaml } from '../core/yaml.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, mapAt } from '../model/json.ts';
import type { Plan } from '../model/plan.ts';
import { CommandError, EXIT, failure, sayDiagnostics, Trouble } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { annotationsIn, readLayers } from './manifest-generate.ts';
import { coloured } from './object-patch.ts';

export async function listProfiles({ terminal, loadAssets }: CommandEnvironment): Promise<number> {
  const { profiles } = await loadAssets();
  terminal.print(`${[...profiles.keys()].toSorted().join('\n')}\n`);
  return EXIT.ok;
}

export interface DumpOptions {
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
  const { spec, warnings } = merged(planner, layers, [...named, ...options.set]);
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
  from: string,
  to: string,
): Promise<number> {
  try {
    const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
    const planner = createPlanner(await environment.loadAssets());
    const [before, after] = [from, to].map((name) => textOfProfile(planner, name)) as [string, string]; // two in, two out
    if (before === after) return EXIT.ok;
    const options = { headerOptions: FILE_HEADERS_ONLY };
    const patch = createTwoFilesPatch(from, to, before, after, undefined, undefined, options);
    environment.terminal.print(coloured(environment.terminal, patch));
    return EXIT.differences;
  } catch (error) {
    throw new Trouble(error);
  }
}

/** With sorted keys, and without the profile's own name, which always differs. */
function textOfProfile(planner: Planner, name: string): string {
  const { profile: _name, ...spec } = merged(planner, [], [`profile=${name}`]).spec;
  return printGoYaml(resource(spec));
}

function merged(planner: Planner, layers: readonly NamedResource[], sets: readonly string[]): Plan {
  const facts = { kubernetesVersion: DEFAULT_RELEASE.assumedKubernetes };
  const result = planner({ layers, annotations: annotationsIn(layers), sets, facts });
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
