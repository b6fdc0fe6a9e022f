/** `istio-operator manifest translate`: values and scripts for Helm's charts of Istio, for those who leave. */
import { join } from 'node:path';
import type { HelmRelease } from '../core/helm-translation.ts';
import { helmReleases } from '../core/helm-translation.ts';
import { createPlanner } from '../core/plan.ts';
import { createRehearsals } from '../core/rehearsal.ts';
import { printYaml } from '../core/yaml.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { groupOf, namespaceOf, refOf } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { FactsOptions } from './cluster-facts.ts';
import { factsOf } from './cluster-facts.ts';
import { CommandError, EXIT, sayDiagnostics } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { annotationsIn, readLayers, setsOf } from './manifest-generate.ts';
import { kubectlName } from './object-name.ts';
import { readOwnProfiles } from './own-profiles.ts';
import type { InstallationFlags } from './requested-installation.ts';

export interface TranslateOptions extends InstallationFlags, FactsOptions {
  /** The folder that everything is written to. */
  readonly outputDir: string;
}

/** Writes values, a script, and where values do not suffice patches for each chart. Tells what has no twin in Helm. */
export async function manifestTranslate(
  environment: CommandEnvironment,
  options: TranslateOptions,
): Promise<number> {
  const { terminal, loadAssets } = environment;
  const [assets, layers] = await Promise.all([loadAssets(), readLayers(environment, options.filename)]);
  const facts = await factsOf(environment, options);
  const sets = setsOf(options);
  const own = await readOwnProfiles(environment, layers, sets);
  const input = { layers, sets, ...own, annotations: annotationsIn(layers), facts };
  const result = createPlanner(assets)(input);
  const rehearsal = createRehearsals(assets)(input);
  if (result.kind === 'invalid') throw new CommandError(result.diagnostics);
  if (rehearsal.kind === 'invalid') throw new CommandError(rehearsal.diagnostics);
  sayDiagnostics(terminal, result.plan.warnings);
  const releases = helmReleases(result.plan, rehearsal);
  for (const { name, text, mode } of [
    ...releases.flatMap((release) => filesFor(release, result.plan)),
    readme(releases, result.plan),
  ]) {
    const path = join(options.outputDir, name);
    await environment.writeText(path, text, mode);
    terminal.say(`wrote ${path}`);
  }
  for (const release of releases) sayUntranslated(environment, release);
  return EXIT.ok;
}

interface TranslatedFile {
  readonly name: string;
  readonly text: string;
  readonly mode?: number;
}

const EXECUTABLE = 0o755;

function filesFor(release: HelmRelease, plan: Plan): readonly TranslatedFile[] {
  const values = { name: `${release.release}-values.yaml`, text: printYaml(release.values) };
  const script = {
    name: `install-${release.release}.sh`,
    text: installScript(release, plan),
    mode: EXECUTABLE,
  };
  return release.patches.length === 0 ? [values, script] : [values, script, ...patchFiles(release)];
}

/** A post-renderer: Helm gives it what the chart renders, and applies what it prints. */
function patchFiles({ release, patches }: HelmRelease): readonly TranslatedFile[] {
  const folder = `${release}-patches`;
  const kustomization: JsonObject = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['rendered.yaml'],
    patches: patches.map(({ target, operations }) => ({
      target: { ...groupAndVersion(target.apiVersion), kind: target.kind, name: target.name },
      patch: printYaml(operations.map((operation): JsonValue => ({ ...operation }))),
    })),
  };
  const script = [
    '#!/bin/sh',
    '# Changes what the chart renders in ways for which it has no values. Reads and writes YAML.',
    'set -eu',
    `cd "$(dirname "$0")/${folder}"`,
    'cat > rendered.yaml',
    'kubectl kustomize .',
    '',
  ];
  return [
    { name: `${folder}/kustomization.yaml`, text: printYaml(kustomization) },
    { name: `post-render-${release}.sh`, text: script.join('\n'), mode: EXECUTABLE },
  ];
}

function groupAndVersion(apiVersion: string): JsonObject {
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  return group === '' ? { version } : { group, version };
}

function installScript({ release, chart, namespace, patches, objects }: HelmRelease, plan: Plan): string {
  const postRenderer = patches.length === 0 ? '' : ` \\\n  --post-renderer ./post-render-${release}.sh`;
  const annotations = `meta.helm.sh/release-name=${release} meta.helm.sh/release-namespace=${namespace}`;
  return [
    '#!/bin/sh',
    `# Installs chart ${chart} of Istio ${plan.version} as release ${release} in ${namespace}, over what is there.`,
    '# CHART_REPOSITORY is the name under which "helm repo add" knows Istio\'s charts.',
    'set -eu',
    'cd "$(dirname "$0")"',
    '',
    '# Helm takes over only objects that say they belong to the release.',
    'adopt() {',
    `  kubectl annotate --overwrite "$@" ${annotations}`,
    '  kubectl label --overwrite "$@" app.kubernetes.io/managed-by=Helm',
    '}',
    ...objects.map(
      (object) => `if kubectl get ${nameOf(object)} >/dev/null 2>&1; then adopt ${nameOf(object)}; fi`,
    ),
    '',
    `helm upgrade --install ${release} "\${CHART_REPOSITORY:-istio}/${chart}" --version ${plan.version} \\`,
    `  --namespace ${namespace} --create-namespace --values ${release}-values.yaml${postRenderer}`,
    '',
  ].join('\n');
}

/** `deployment.apps/istiod -n istio-system`. */
function nameOf(object: K8sObject): string {
  const namespace = namespaceOf(object);
  return `${kubectlName(refOf(object))}${namespace === undefined ? '' : ` -n ${namespace}`}`;
}

function readme(releases: readonly HelmRelease[], { version, profile }: Plan): TranslatedFile {
  const steps = releases.map(
    ({ release, chart }) => `- \`install-${release}.sh\`: chart \`${chart}\` with \`${release}-values.yaml\``,
  );
  const left = releases.flatMap(({ release, untranslated }) =>
    untranslated.map((path) => `- \`${path}\`: in \`${release}-patches\`, which has to be kept up by hand`),
  );
  const gateways = releases.some(({ chart }) => chart === 'gateway') ? GATEWAY_NOTE : [];
  const text = [
    `# Istio ${version} (profile ${profile}) with Helm`,
    '',
    'Stop whoever keeps the installation first: delete the operator with `istio-operator remove`, and the finalizer of the',
    'IstioOperator, so that the deletion of the resource does not delete the mesh. Then run, in this order:',
    '',
    ...steps,
    ...(left.length === 0 ? [] : ['', '## Settings without a value in the charts', '', ...left]),
    ...gateways,
    '',
  ];
  return { name: 'README.md', text: text.join('\n') };
}

const GATEWAY_NOTE = [
  '',
  '## Gateways',
  '',
  "Istio's chart `gateway` lets istiod inject its pods: names, account, selector, ports and sizes stay, the pods are made anew.",
  'Their namespace must allow injection. Environment variables and volumes of yours have to be added to the values by hand.',
];

function sayUntranslated(
  { terminal }: CommandEnvironment,
  { release, untranslated, patches }: HelmRelease,
): void {
  for (const path of untranslated) {
    const where = patches.length === 0 ? 'it changes nothing' : `see ${release}-patches`;
    terminal.say(`${terminal.style('yellow', 'note')} ${path} has no value in the chart: ${where}`);
  }
}
