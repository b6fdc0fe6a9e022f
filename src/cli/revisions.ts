/** `istio-operator revisions`: the control planes of a cluster, and who uses them. */
import { DataPlaneCounter, POD, RUNNING_PODS } from '../core/objects/data-plane.ts';
import { revisionOfInjector, tagOf, targetOfInjector } from '../core/objects/injectors.ts';
import { printYaml } from '../core/yaml.ts';
import type { GroupVersionKind, K8sObject } from '../model/object.ts';
import { labelsOf, namespaceOf } from '../model/object.ts';
import type { DataPlane, PodCount } from '../model/status.ts';
import { EXIT } from './command-error.ts';
import type { Injectors } from './control-planes.ts';
import { injectorsOf, keeperOf, revisionNames } from './control-planes.ts';
import type { ClusterChoice, CommandCluster, CommandEnvironment } from './environment.ts';
import { withConnection } from './session.ts';
import { table } from './table.ts';

export interface RevisionsOptions extends ClusterChoice {
  readonly output: 'table' | 'wide' | 'yaml' | 'json';
}

interface RevisionRow extends PodCount {
  /** `default` for the revision without a name. */
  readonly revision: string;
  /** Empty when no istiod of it runs here. */
  readonly version: string;
  readonly namespace: string;
  readonly tags: readonly string[];
  /** The IstioOperator that keeps it, as `namespace/name`; empty when none does. */
  readonly resource: string;
}

interface Overview {
  readonly revisions: readonly RevisionRow[];
  readonly ambient?: PodCount;
}

/** Prints one row for each revision that is installed, that a tag points to, or that pods use. */
export async function showRevisions(
  environment: CommandEnvironment,
  options: RevisionsOptions,
): Promise<number> {
  const overview = await withConnection(environment, options, async ({ cluster }) =>
    overviewOf(cluster, environment.signal),
  );
  environment.terminal.print(PRINTERS[options.output](overview));
  return EXIT.ok;
}

const DEPLOYMENT: GroupVersionKind = { apiVersion: 'apps/v1', kind: 'Deployment' };

async function overviewOf(cluster: CommandCluster, signal: AbortSignal): Promise<Overview> {
  const counter = new DataPlaneCounter();
  const [injectors, istiods] = await Promise.all([
    injectorsOf(cluster, signal),
    cluster.list(DEPLOYMENT, { labelSelector: 'app=istiod', signal }),
    cluster.scanMetadata(POD, (pod) => counter.add(pod), { fieldSelector: RUNNING_PODS, signal }),
  ]);
  const dataPlane = counter.count();
  const rows: RevisionRow[] = [];
  for (const revision of namesOf(injectors, istiods, dataPlane)) {
    const istiod = istiods.find((deployment) => revisionOf(deployment) === revision);
    const resource = istiod === undefined ? undefined : await keeperOf(cluster, istiod, signal);
    rows.push(rowOf({ revision, istiod, resource, injectors, dataPlane }));
  }
  return { revisions: rows, ...(dataPlane.ambient === undefined ? {} : { ambient: dataPlane.ambient }) };
}

function namesOf(
  injectors: Injectors,
  istiods: readonly K8sObject[],
  { revisions }: DataPlane,
): readonly string[] {
  const used = revisions.map(({ revision }) => revision);
  const tagged = injectors.tags.map(revisionOfInjector);
  return [
    ...new Set([...revisionNames(injectors), ...istiods.map(revisionOf), ...tagged, ...used]),
  ].toSorted();
}

function revisionOf(istiod: K8sObject): string {
  return labelsOf(istiod)['istio.io/rev'] ?? 'default';
}

interface Known {
  readonly revision: string;
  readonly istiod: K8sObject | undefined;
  readonly resource: string | undefined;
  readonly injectors: Injectors;
  readonly dataPlane: DataPlane;
}

function rowOf({ revision, istiod, resource, injectors, dataPlane }: Known): RevisionRow {
  const labels = istiod === undefined ? {} : labelsOf(istiod);
  const tags = injectors.tags.filter((injector) => revisionOfInjector(injector) === revision);
  const users = dataPlane.revisions.find((counted) => counted.revision === revision);
  return {
    revision,
    version: labels['operator.istio.io/version'] ?? labels['app.kubernetes.io/version'] ?? '',
    namespace: (istiod && namespaceOf(istiod)) ?? namespaceOfTarget(revision, injectors),
    tags: tags.flatMap((injector) => tagOf(injector) ?? []).toSorted(),
    resource: resource ?? '',
    ...(users ?? { pods: 0, namespaces: [] }),
  };
}

/** Where an istiod is that runs elsewhere, as far as the webhook tells. */
function namespaceOfTarget(revision: string, { canonical }: Injectors): string {
  const injector = canonical.find((candidate) => revisionOfInjector(candidate) === revision);
  const target = injector === undefined ? '' : targetOfInjector(injector);
  return target.includes('://') ? '' : (target.split('/')[0] ?? '');
}

const PRINTERS: Readonly<Record<RevisionsOptions['output'], (overview: Overview) => string>> = {
  table: (overview) => shown(overview, { isWide: false }),
  wide: (overview) => shown(overview, { isWide: true }),
  yaml: (overview) => printYaml(asData(overview)),
  json: (overview) => `${JSON.stringify(asData(overview), null, 2)}\n`,
};

function asData({ revisions, ambient }: Overview): Parameters<typeof printYaml>[0] {
  const rows = revisions.map((row) => ({
    ...row,
    namespaces: row.namespaces.map((entry) => ({ ...entry })),
  }));
  return ambient === undefined
    ? { revisions: rows }
    : {
        revisions: rows,
        ambient: { ...ambient, namespaces: ambient.namespaces.map((entry) => ({ ...entry })) },
      };
}

const HEADER = ['REVISION', 'VERSION', 'NAMESPACE', 'TAGS', 'KEPT BY', 'PODS'];
const ABSENT = '-';

function shown({ revisions, ambient }: Overview, { isWide }: { readonly isWide: boolean }): string {
  if (revisions.length === 0 && ambient === undefined)
    return 'There are no control planes, and no pods that use one.\n';
  const rows = revisions.map((row) => [
    ...[row.revision, row.version, row.namespace, row.tags.join(','), row.resource].map(
      (cell) => cell || ABSENT,
    ),
    podsOf(row, isWide),
  ]);
  const below = ambient === undefined ? '' : `Pods in ambient mode: ${podsOf(ambient, isWide)}\n`;
  return table([HEADER, ...rows]) + below;
}

/** `12`, or `12 (shop 10, web 2)`. */
function podsOf({ pods, namespaces, moreNamespaces = 0 }: PodCount, isWide: boolean): string {
  if (!isWide || pods === 0) return String(pods);
  const places = namespaces.map((entry) => `${entry.name} ${entry.pods}`);
  const more = moreNamespaces === 0 ? [] : [`${moreNamespaces} more`];
  return `${pods} (${[...places, ...more].join(', ')})`;
}
