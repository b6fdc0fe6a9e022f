/** `istio-operator manifest generate`: prints what would be applied, without a cluster. */
import { join } from 'node:path';
import { isAdministered } from '../apply/administered.ts';
import { createPlanner } from '../core/plan.ts';
import type { PlanInput } from '../core/plan.ts';
import { diagnose } from '../core/diagnostics.ts';
import { besideOwnInjectors } from '../core/objects/beside-injectors.ts';
import type { NamedResource } from '../core/spec/documents.ts';
import { printYaml } from '../core/yaml.ts';
import type { AssetBundle, PrintedSpecs } from '../model/assets.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import type { ComponentName, Plan, PlannedComponent } from '../model/plan.ts';
import type { FactsOptions } from './cluster-facts.ts';
import { factsOf } from './cluster-facts.ts';
import { CommandError, EXIT, failure, sayDiagnostics } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { nameOf, readText } from './manifest-files.ts';
import { kubectlName } from './object-name.ts';
import { readOwnProfiles } from './own-profiles.ts';

/** Flags that say what is wanted. */
export interface RequestFlags {
  readonly filename: readonly string[];
  readonly set: readonly string[];
  readonly revision?: string;
  /** A folder with own profiles. */
  readonly manifests?: string;
  /** The older name of `manifests`. */
  readonly charts?: string;
}

export interface GenerateOptions extends FactsOptions, RequestFlags {
  readonly component: readonly string[];
  /** `images`: no objects, but the images that all of them need, one a line. */
  readonly output: 'yaml' | 'json' | 'name' | 'images';
  /** A folder for one file a component; without it everything goes to standard output. */
  readonly outputDir?: string;
  /**
   * `cluster`: only what has no namespace. `admin`: what an operator in hardened mode does not write, with the labels
   * of the resource that the files describe, so that the operator finds it as it wants it.
   */
  readonly scope?: 'all' | 'cluster' | 'namespace' | 'admin';
}

/** Prints the objects of a plan in apply order. Warnings go to standard error. */
export async function manifestGenerate(
  environment: CommandEnvironment,
  options: GenerateOptions,
): Promise<number> {
  const assets = await environment.loadAssets();
  const plan = await requestedPlan(environment, assets, options);
  sayDiagnostics(environment.terminal, plan.warnings);
  if (options.output === 'images') {
    environment.terminal.print(plan.images.map((image) => `${image}\n`).join(''));
    return EXIT.ok;
  }
  const components = inScope(chosenComponents(plan, options.component), options.scope);
  const printers = {
    json: printList,
    name: printNames,
    yaml: printerOf(await assets.printedSpecs(plan.releaseLine)),
  };
  await printComponents(environment, options, { components, printed: printers[options.output] });
  return EXIT.ok;
}

/** Throws a CommandError for what cannot be planned. */
async function requestedPlan(
  environment: CommandEnvironment,
  assets: AssetBundle,
  options: GenerateOptions,
): Promise<Plan> {
  const layers = await readLayers(environment, options.filename);
  const sets = setsOf(options);
  const result = createPlanner(assets)({
    layers,
    annotations: annotationsIn(layers),
    sets,
    ...(await readOwnProfiles(environment, layers, sets)),
    ...(options.scope === 'admin' ? describedInstallation(layers) : {}),
    facts: await factsOf(environment, options),
  });
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  // The operator wants it so beside what is applied here, and may not write it itself.
  return options.scope === 'admin' ? besideOwnInjectors(result.plan) : result.plan;
}

interface Printable {
  readonly components: readonly PlannedComponent[];
  readonly printed: (objects: readonly K8sObject[]) => string;
}

async function printComponents(
  { terminal, writeText }: CommandEnvironment,
  { outputDir, output }: GenerateOptions,
  { components, printed }: Printable,
): Promise<void> {
  if (outputDir === undefined) {
    terminal.print(printed(components.flatMap(({ objects }) => objects)));
    return;
  }
  for (const [index, { component, objects }] of components.entries()) {
    const path = join(outputDir, fileNameOf(index, component, output));
    await writeText(path, printed(objects));
    terminal.say(`wrote ${path}`);
  }
}

/** The resource as the operator knows it: whose objects these are, and the version on which one without a tag stays. */
function describedInstallation(
  layers: readonly NamedResource[],
): Pick<PlanInput, 'owner' | 'installedVersion'> {
  const installed = layers.findLast(({ installedVersion }) => installedVersion !== undefined);
  const kept =
    installed?.installedVersion === undefined ? {} : { installedVersion: installed.installedVersion };
  const name = layers.findLast((layer) => layer.name !== undefined)?.name;
  const namespace = layers.findLast((layer) => layer.namespace !== undefined)?.namespace;
  if (name !== undefined && namespace !== undefined) return { owner: { name, namespace }, ...kept };
  throw failure(
    'resourceNotNamed',
    'what an administrator applies carries the name and the namespace of its IstioOperator, and no file gives both',
    'Set metadata.name and metadata.namespace, or pipe the resource in: kubectl get istiooperator NAME -n NAMESPACE -o yaml | istio-operator manifest generate --scope admin -f -',
  );
}

function inScope(
  components: readonly PlannedComponent[],
  scope: GenerateOptions['scope'],
): readonly PlannedComponent[] {
  if (scope !== 'admin') return components;
  const administered = components.map((planned) => ({
    ...planned,
    objects: planned.objects.filter(isAdministered),
  }));
  return administered.filter(({ objects }) => objects.length > 0);
}

/** `02-ingress-gateways.yaml`: kubectl applies the files of a folder in alphabetical order. */
function fileNameOf(index: number, component: ComponentName, output: GenerateOptions['output']): string {
  const number = String(index + 1).padStart(2, '0');
  const name = component.replaceAll(/(?<=[a-z])(?=[A-Z])/gu, '-').toLowerCase();
  return `${number}-${name}.${output}`;
}

/** `--revision default` names the revision that has no name, as istioctl has it. */
export function setsOf({
  set,
  revision,
  manifests,
  charts,
  scope,
}: Omit<RequestFlags, 'filename'> & Pick<GenerateOptions, 'scope'>): readonly string[] {
  const named = revision === undefined || revision === 'default' ? [] : [`revision=${revision}`];
  // The operator plans all of it; what an administrator applies is a part of that plan.
  const isWhole = scope === undefined || scope === 'all' || scope === 'admin';
  const scoped = isWhole ? [] : [`values.global.resourceScope=${scope}`];
  const folder = manifests ?? charts;
  const packaged = folder === undefined ? [] : [`installPackagePath=${folder}`];
  return [...set, ...named, ...packaged, ...scoped];
}

/** One layer for each file; without files, the default profile alone. */
export async function readLayers(
  environment: CommandEnvironment,
  files: readonly string[],
): Promise<readonly NamedResource[]> {
  const layers: NamedResource[] = [];
  for (const file of files) layers.push(await readLayer(environment, file));
  return layers;
}

/** Those of all files; the last one wins, as with specifications. */
export function annotationsIn(layers: readonly NamedResource[]): Readonly<Record<string, string>> {
  return layers.reduce((all, { annotations }) => ({ ...all, ...annotations }), {});
}

async function readLayer(environment: CommandEnvironment, file: string): Promise<NamedResource> {
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
    throw failure('notAnIstioOperator', `${name} holds no IstioOperator`, 'Give another file.');
  return resource;
}

function chosenComponents(plan: Plan, names: readonly string[]): readonly PlannedComponent[] {
  const known = plan.components.map(({ component }) => component);
  const unknown = names.find((name) => !known.some((component) => component === name));
  if (unknown !== undefined) {
    throw failure(
      'componentNotRendered',
      `no component ${unknown} is rendered`,
      `Rendered are: ${known.join(', ')}.`,
    );
  }
  return plan.components.filter(({ component }) => names.length === 0 || names.includes(component));
}

function printNames(objects: readonly K8sObject[]): string {
  return objects.map((object) => `${kubectlName(refOf(object))}\n`).join('');
}

function printList(items: readonly K8sObject[]): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}

function printerOf(printedSpecs: PrintedSpecs): (objects: readonly K8sObject[]) => string {
  return (objects) => objects.map((object) => printObject(object, printedSpecs(object))).join('---\n');
}

function printObject(object: K8sObject, printedSpec: string | undefined): string {
  if (printedSpec === undefined) return printYaml(object);
  const { spec: _printed, ...rest } = object;
  return printYaml(rest) + printedSpec;
}
