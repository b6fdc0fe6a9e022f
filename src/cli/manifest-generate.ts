/** `istio-operator manifest generate`: prints what would be applied, without a cluster. */
import type { SpecLayer } from '../core/plan.ts';
import { createPlanner } from '../core/plan.ts';
import { diagnose } from '../core/diagnostics.ts';
import { DEFAULT_RELEASE } from '../core/releases.ts';
import { printYaml } from '../core/yaml.ts';
import type { PrintedSpecs } from '../model/assets.ts';
import type { K8sObject } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import { CommandError, commandFailure, EXIT, sayDiagnostics } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { nameOf, readText } from './manifest-files.ts';

export interface GenerateOptions {
  readonly filename: readonly string[];
  readonly set: readonly string[];
  readonly revision?: string;
  readonly component: readonly string[];
  readonly output: 'yaml' | 'json';
  readonly kubeVersion?: string;
}

/** Prints the objects of a plan in apply order. Warnings go to standard error. */
export async function manifestGenerate(
  environment: CommandEnvironment,
  options: GenerateOptions,
): Promise<number> {
  const [assets, layers] = await Promise.all([
    environment.loadAssets(),
    readLayers(environment, options.filename),
  ]);
  const planner = createPlanner(assets);
  const result = planner({
    layers,
    sets: setsOf(options),
    facts: { kubernetesVersion: options.kubeVersion ?? DEFAULT_RELEASE.assumedKubernetes },
  });
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  sayDiagnostics(environment.terminal, result.plan.warnings);
  const objects = chosenObjects(result.plan, options.component);
  environment.terminal.print(
    options.output === 'json' ? printList(objects) : printStream(objects, await assets.printedSpecs()),
  );
  return EXIT.ok;
}

/** `--revision default` names the revision that has no name, as istioctl has it. */
function setsOf({ set, revision }: GenerateOptions): readonly string[] {
  return revision === undefined || revision === 'default' ? set : [...set, `revision=${revision}`];
}

/** One layer for each file; without files, the default profile alone. */
export async function readLayers(
  environment: CommandEnvironment,
  files: readonly string[],
): Promise<readonly SpecLayer[]> {
  const layers: SpecLayer[] = [];
  for (const file of files) layers.push(await readLayer(environment, file));
  return layers;
}

async function readLayer(environment: CommandEnvironment, file: string): Promise<SpecLayer> {
  const name = nameOf(file);
  // Loaded only when there is a file: without one, its parser would be half of what is loaded.
  const { readResources } = await import('../core/spec/documents.ts');
  const read = readResources(await readText(environment, file), name);
  if (read.kind === 'invalid') throw new CommandError(read.diagnostics);
  const [resource, second] = read.resources;
  if (second !== undefined) {
    const position = second.locate?.('spec') ?? second.locate?.('metadata');
    const finding = {
      path: [],
      cause: `${name} holds several IstioOperators`,
      remedy: 'Give one file for each: several files are layers of one installation.',
    };
    throw new CommandError([
      diagnose('severalResources', position === undefined ? finding : { ...finding, position }),
    ]);
  }
  if (resource === undefined)
    throw commandFailure('IOP104', `${name} holds no IstioOperator`, 'Give another file.');
  return resource;
}

function chosenObjects(plan: Plan, names: readonly string[]): readonly K8sObject[] {
  const known = plan.components.map(({ component }) => component);
  const unknown = names.find((name) => !known.some((component) => component === name));
  if (unknown !== undefined) {
    throw commandFailure(
      'IOP603',
      `no component ${unknown} is rendered`,
      `Rendered are: ${known.join(', ')}.`,
    );
  }
  const chosen = plan.components.filter(({ component }) => names.length === 0 || names.includes(component));
  return chosen.flatMap(({ objects }) => objects);
}

function printList(items: readonly K8sObject[]): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}

function printStream(objects: readonly K8sObject[], printedSpecs: PrintedSpecs): string {
  return objects.map((object) => printObject(object, printedSpecs(object))).join('---\n');
}

function printObject(object: K8sObject, printedSpec: string | undefined): string {
  if (printedSpec === undefined) return printYaml(object);
  const { spec: _printed, ...rest } = object;
  return printYaml(rest) + printedSpec;
}
