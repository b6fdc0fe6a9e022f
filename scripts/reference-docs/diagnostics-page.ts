/** docs/reference/diagnostics.md: every code, each with a small bad input and what is really said about it. */
import type { AssetBundle } from '../../src/model/assets.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import { printDiagnostic } from '../../src/model/diagnostic.ts';
import type { DiagnosticName } from '../../src/core/diagnostics.ts';
import { DIAGNOSTIC_KINDS } from '../../src/core/diagnostics.ts';
import { createPlanner } from '../../src/core/plan.ts';
import { DEFAULT_RELEASE } from '../../src/core/releases.ts';
import { readResources } from '../../src/core/spec/documents.ts';
import { banner, block, code, page, table } from './markdown.ts';

/** An input that gives the diagnostic. */
export interface Example {
  /** What stands in the file `demo.yaml`. */
  readonly file: string;
  /** `--set` flags. */
  readonly sets?: readonly string[];
  /** What to show in place of a file that would fill pages, or that cannot show the fault. */
  readonly instead?: string;
  /** Puts something else in place of an asset. */
  readonly change?: (assets: AssetBundle) => AssetBundle;
  /** See ClusterFacts; unknown when absent. */
  readonly servedKinds?: readonly string[];
}

const spec = (...lines: readonly string[]): Example => ({
  file: ['spec:', ...lines.map((line) => `  ${line}`)].join('\n'),
});

const overlay = (kind: string, name: string, ...patch: readonly string[]): readonly string[] => [
  'components:',
  '  pilot:',
  '    k8s:',
  '      overlays:',
  `        - kind: ${kind}`,
  `          name: ${name}`,
  '          patches:',
  ...patch.map((line, index) => `            ${index === 0 ? '- ' : '  '}${line}`),
];

/** For every kind that reading and planning can find. */
export const EXAMPLES: Readonly<Partial<Record<DiagnosticName, Example>>> = {
  invalidYaml: { file: 'spec:\n  profile: "demo\n' },
  forbiddenKey: spec('values:', '  pilot:', '    podAnnotations: { constructor: x }'),
  documentTooLarge: { file: '#'.repeat(1_048_577), instead: 'A file of more than a megabyte.' },
  notAnIstioOperator: { file: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: demo }' },
  invalidSetFlag: { file: 'spec: {}', sets: ['components.ingressGateways.[name:ingress].enabled=false'] },
  unknownField: spec('components:', '  pilot:', '    k8s: { replicaCuont: 2 }'),
  wrongType: spec('components:', '  pilot: { enabled: maybe }'),
  unknownProfile: spec('profile: dmeo'),
  gatewayWithoutName: spec('components:', '  ingressGateways:', '    - enabled: true'),
  invalidName: spec('revision: 1.30.3'),
  invalidImage: spec('hub: https://registry.example.com/istio'),
  addonWithoutAddress: spec(
    'addonComponents:',
    '  prometheus: { enabled: true, mode: external }',
    '  kiali: { enabled: true }',
  ),
  formerTracer: spec('values:', '  global: { tracer: { zipkin: { address: "zipkin.obs:9411" } } }'),
  kindNotServed: {
    ...spec('addonComponents:', '  prometheus: { enabled: true, mode: monitors }'),
    servedKinds: [],
  },
  privilegedPort: spec(
    'components:',
    '  ingressGateways:',
    '    - name: istio-ingressgateway',
    '      k8s: { service: { ports: [{ name: http, port: 80 }] } }',
  ),
  invalidRange: spec('values:', '  global:', '    proxy: { excludeIPRanges: 10.0.0.0/99 }'),
  unknownPreset: spec('compatibilityVersion: "1.9"'),
  unsupportedValue: spec('values:', '  global: { pilotCertProvider: kubernetes }'),
  duplicateGateway: spec('components:', '  ingressGateways:', '    - { name: edge }', '    - { name: edge }'),
  unsupportedRelease: spec('tag: 1.20.0'),
  fieldOfOtherRelease: spec('tag: 1.28.10', 'values:', '  pilot: { crlConfigMapName: revoked }'),
  profilesOutOfReach: spec('installPackagePath: /etc/mesh'),
  tagWithoutVersion: spec('tag: 1.30'),
  mixedReleases: spec('tag: 1.30.3', 'components:', '  cni: { tag: 1.29.6 }'),
  previewRelease: spec('tag: 1.31.0-rc.0'),
  suspectMeshField: spec('meshConfig: { acessLogFile: /dev/stdout }'),
  refusedVariable: spec('values:', '  pilot: { env: { CLUSTER_ID: mesh } }'),
  movedField: spec('values:', '  grafana: { enabled: true }'),
  unknownTemplate: spec('values:', '  sidecarInjectorWebhook: { defaultTemplates: [mine] }'),
  replacedField: spec('values:', '  mixer: { policy: { enabled: true } }'),
  removedField: spec('meshConfig:', '  defaultConfig:', '    tracing: { stackdriver: { debug: true } }'),
  ignoredSetting: spec('profile: ambient', 'components:', '  ztunnel:', '    k8s: { replicaCount: 2 }'),
  conflictingReplicas: spec(
    'components:',
    '  pilot: { k8s: { replicaCount: 2 } }',
    'values:',
    '  pilot: { autoscaleEnabled: true }',
  ),
  splitControlPlane: spec('components:', '  pilot: { namespace: istiod }'),
  overlayWithoutObject: spec(...overlay('Deployment', 'istoid', 'path: spec.replicas', 'value: 2')),
  overlayPathNotFound: spec(
    ...overlay(
      'Deployment',
      'istiod',
      'path: spec.template.spec.containers.[name:istiod].image',
      'value: example',
    ),
  ),
  overlayChangesType: spec(...overlay('Service', 'istiod', 'path: spec.ports', 'value: { port: 80 }')),
  invalidOverlayPath: spec(...overlay('Service', 'istiod', 'path: spec.ports.[0', 'value: 80')),
  overlayOutOfScope: spec(
    ...overlay('Deployment', 'istiod', 'path: spec.replicas', 'value: 2'),
    'values:',
    '  global: { resourceScope: cluster }',
  ),
  renderFailed: {
    file: 'spec: {}',
    instead: 'A fault of the operator: here a template that prints a value which does not exist.',
    change: (assets) => ({
      ...assets,
      templates: new Map([
        ...assets.templates,
        ['pilot/service', { kind: 'text', text: 'kind: {{yaml kidn}}' }],
      ]),
    }),
  },
};

export function diagnosticsPage(assets: AssetBundle): string {
  const kinds = Object.entries(DIAGNOSTIC_KINDS)
    .map(([name, { code: id, severity, title }]) => ({
      // A key of the table.
      name: name as DiagnosticName,
      cells: [id, severity, title] as const,
    }))
    .toSorted((a, b) => (a.cells[0] < b.cells[0] ? -1 : 1));
  return page(
    banner('src/core/diagnostics.ts'),
    '# Diagnostics',
    'What is wrong with an input is said in one form, in the status of the resource and by the command line: a code, the place, the cause and what to do. Codes are permanent. An error keeps anything from being changed; a warning does not.',
    table(
      ['code', 'severity', 'what is wrong'],
      kinds.map(({ cells: [id, ...rest] }) => [code(id), ...rest]),
    ),
    '## Examples',
    'Each message below was made by the operator from the input above it, the file `demo.yaml`.',
    ...kinds.flatMap(({ name, cells: [id, , title] }) => {
      const example = EXAMPLES[name];
      return example === undefined
        ? []
        : [exampleText(`### ${id}: ${title}`, example, messageOf(assets, name, example))];
    }),
  );
}

function exampleText(heading: string, { file, sets = [], instead }: Example, message: string): string {
  const input = instead ?? block('yaml', file);
  const flags = sets.map((set) => `With \`--set '${set}'\`:`);
  return page(heading, input, ...flags, block('text', message)).trimEnd();
}

function messageOf(assets: AssetBundle, name: DiagnosticName, example: Example): string {
  const found = findings(assets, example);
  const shown = found.find(({ code: id }) => id === DIAGNOSTIC_KINDS[name].code);
  if (shown === undefined) {
    throw new Error(`the example of ${name} gives ${found.map(printDiagnostic).join('; ') || 'nothing'}`);
  }
  return printDiagnostic(shown);
}

/** Everything that is said about an example. */
function findings(
  assets: AssetBundle,
  { file, sets = [], change = asIs, servedKinds }: Example,
): readonly Diagnostic[] {
  const read = readResources(file, 'demo.yaml');
  if (read.kind === 'invalid') return read.diagnostics;
  const planner = createPlanner(change(assets));
  const kubernetesVersion = DEFAULT_RELEASE.assumedKubernetes;
  const facts = { kubernetesVersion, ...(servedKinds === undefined ? {} : { servedKinds }) };
  const result = planner({ layers: read.resources, sets, facts });
  return result.kind === 'planned' ? result.plan.warnings : result.diagnostics;
}

function asIs(assets: AssetBundle): AssetBundle {
  return assets;
}
