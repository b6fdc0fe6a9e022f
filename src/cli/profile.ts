/** `istio-operator profile`: what the profiles are and what they come to. */
import { createPlanner } from '../core/plan.ts';
import { DEFAULT_RELEASE } from '../core/releases.ts';
import { printYaml } from '../core/yaml.ts';
import { CommandError, EXIT, sayDiagnostics } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { annotationsIn, readLayers } from './manifest-generate.ts';

export async function listProfiles({ terminal, loadAssets }: CommandEnvironment): Promise<number> {
  const { profiles } = await loadAssets();
  terminal.print(`${[...profiles.keys()].toSorted().join('\n')}\n`);
  return EXIT.ok;
}

/** Prints the merged specification as an IstioOperator that means the same with any profile below it. */
export async function dumpProfile(
  environment: CommandEnvironment,
  profile: string | undefined,
  options: { readonly filename: readonly string[]; readonly set: readonly string[] },
): Promise<number> {
  const planner = createPlanner(await environment.loadAssets());
  const layers = await readLayers(environment, options.filename);
  const named = profile === undefined ? [] : [`profile=${profile}`];
  const result = planner({
    layers,
    annotations: annotationsIn(layers),
    sets: [...named, ...options.set],
    facts: { kubernetesVersion: DEFAULT_RELEASE.assumedKubernetes },
  });
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  sayDiagnostics(environment.terminal, result.plan.warnings);
  const { spec } = result.plan;
  environment.terminal.print(
    printYaml({ apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', spec }),
  );
  return EXIT.ok;
}
