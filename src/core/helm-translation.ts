/**
 * From an IstioOperator to what Helm's charts of Istio take: the way out. Nothing is taken for granted: a setting counts as
 * translated when rendering with the value in its place gives the same objects.
 */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonObject, jsonEqual, listAt, mapAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { ComponentName, Plan } from '../model/plan.ts';
import { COMPONENTS } from './components.ts';
import { printPath } from './field-path.ts';
import { textOf } from './go-values.ts';
import { gatewayChartValues } from './helm-gateway.ts';
import type { PatchOperation } from './json-patch.ts';
import { jsonPatch } from './json-patch.ts';
import type { Rehearsal } from './rehearsal.ts';
import { withValueAt } from './tree-leaves.ts';

/** A change of what a chart renders that no value makes. */
export interface ObjectPatch {
  readonly target: ObjectRef;
  readonly operations: readonly PatchOperation[];
}

/** One release of Helm. */
export interface HelmRelease {
  readonly chart: string;
  readonly release: string;
  readonly namespace: string;
  readonly values: JsonObject;
  readonly patches: readonly ObjectPatch[];
  /** The objects that Helm takes over. */
  readonly objects: readonly K8sObject[];
  /** Settings that became patches, or nothing; paths of the specification. */
  readonly untranslated: readonly string[];
}

type ChartedComponent = Extract<ComponentName, 'Base' | 'Pilot' | 'Cni' | 'Ztunnel'>;

interface Chart {
  readonly component: ChartedComponent;
  readonly chart: string;
  readonly release: string;
}

/** Istio's published charts in the order in which they are installed. */
const CHARTS: readonly Chart[] = [
  { component: 'Base', chart: 'base', release: 'istio-base' },
  { component: 'Pilot', chart: 'istiod', release: 'istiod' },
  { component: 'Cni', chart: 'cni', release: 'istio-cni' },
  { component: 'Ztunnel', chart: 'ztunnel', release: 'ztunnel' },
];

/** Where charts take what people set under `k8s`. */
const TWINS: readonly { readonly from: string; readonly to: readonly string[] }[] = [
  { from: 'replicaCount', to: ['replicaCount'] },
  { from: 'resources', to: ['resources'] },
  { from: 'nodeSelector', to: ['nodeSelector'] },
  { from: 'tolerations', to: ['tolerations'] },
  { from: 'affinity', to: ['affinity'] },
  { from: 'podAnnotations', to: ['podAnnotations'] },
  { from: 'serviceAnnotations', to: ['serviceAnnotations'] },
  { from: 'env', to: ['env'] },
];

/** All releases that an installation comes to. Addons have no charts among Istio's. */
export function helmReleases(plan: Plan, rehearsal: Rehearsal): readonly HelmRelease[] {
  const present = new Set(plan.components.map(({ component }) => component));
  const spec = wholeSpec(plan);
  const charted = CHARTS.filter(({ component }) => present.has(component)).map((chart) =>
    releaseOf(chart, { plan, rehearsal, spec }),
  );
  return [...charted, ...gatewayReleases({ plan, rehearsal, spec })];
}

interface Translation {
  readonly plan: Plan;
  readonly rehearsal: Rehearsal;
  /** With values that need nothing else of the specification. */
  readonly spec: JsonObject;
}

/** The values of a plan hold what other fields say about values; only the components say more. */
function wholeSpec({ spec }: Plan): JsonObject {
  return { components: mapAt(spec, 'components'), values: mapAt(spec, 'values') };
}

function releaseOf(chart: Chart, { plan, rehearsal, spec }: Translation): HelmRelease {
  const { component } = chart;
  const render = (candidate: JsonObject): readonly K8sObject[] =>
    (rehearsal.objectsOf(component, { kind: 'specification', spec: candidate }) ?? []).filter(isMeant);
  const objects = render(spec);
  const isSame = (candidate: JsonObject): boolean => jsonEqual([...render(candidate)], [...objects]);

  const asValues = withTwins(spec, component, isSame);
  const withoutSettings = without(asValues, ['components', specKeyOf(component), 'k8s']);
  const rendered = render(withoutSettings);
  const trimmed = trimmedValues(withoutSettings, component, (candidate) =>
    jsonEqual([...render(candidate)], [...rendered]),
  );
  const revision = component === 'Pilot' && plan.revision !== '' ? `-${plan.revision}` : '';
  return {
    chart: chart.chart,
    release: `${chart.release}${revision}`,
    namespace: namespaceOfComponent(spec, component, plan),
    values: mapAt(trimmed, 'values'),
    patches: patchesBetween(rendered, objects),
    objects,
    untranslated: settingsLeft(asValues, component),
  };
}

/** One ConfigMap of istiod is only a copy of the values: it differs whenever they are written in another way. */
function isMeant({ kind, metadata }: K8sObject): boolean {
  return kind !== 'ConfigMap' || !/^values(?:-|$)/u.test(metadata.name);
}

function specKeyOf(component: ComponentName): string {
  return COMPONENTS.find(({ name }) => name === component)?.specKey ?? '';
}

function namespaceOfComponent(spec: JsonObject, component: ComponentName, plan: Plan): string {
  const own = at(spec, 'components', specKeyOf(component), 'namespace');
  return typeof own === 'string' && own !== '' ? own : plan.namespace;
}

/** The specification with every `k8s` setting, and the component's own hub and tag, that a value can say as well. */
function withTwins(
  spec: JsonObject,
  component: ChartedComponent,
  isSame: (candidate: JsonObject) => boolean,
): JsonObject {
  const group = COMPONENTS.find(({ name }) => name === component)?.valuesRoot ?? [];
  const root = ['components', specKeyOf(component)];
  const moves = [
    ...['hub', 'tag'].map((field) => ({ from: [...root, field], to: ['values', ...group, field] })),
    ...TWINS.map(({ from, to }) => ({ from: [...root, 'k8s', from], to: ['values', ...group, ...to] })),
  ];
  return moves.reduce((current, { from, to }) => {
    const value = at(current, ...from);
    if (value === undefined) return current;
    const candidate = put(without(current, from), to, asChartValue(from, value));
    return isSame(candidate) ? candidate : current;
  }, spec);
}

/** Charts take the environment as a map. */
function asChartValue(from: readonly string[], value: JsonValue): JsonValue {
  if (from.at(-1) !== 'env') return value;
  return Object.fromEntries(
    listAt(value).map((entry) => [textOf(at(entry, 'name')), at(entry, 'value') ?? null]),
  );
}

/** Without the groups of other components: what changes nothing is not needed. */
function trimmedValues(
  spec: JsonObject,
  component: ChartedComponent,
  isSame: (candidate: JsonObject) => boolean,
): JsonObject {
  // Its own group stays whole: other components of the specification speak for some of it here, and not in a chart.
  const own = COMPONENTS.find(({ name }) => name === component)?.valuesRoot[0];
  const others = Object.keys(mapAt(spec, 'values')).filter((key) => key !== own && key !== 'global');
  return others.reduce((current, key) => {
    const candidate = without(current, ['values', key]);
    return isSame(candidate) ? candidate : current;
  }, spec);
}

function put(tree: JsonObject, path: readonly string[], value: JsonValue): JsonObject {
  const changed = withValueAt(tree, path, value);
  return isJsonObject(changed) ? changed : tree;
}

function without(tree: JsonObject, path: readonly string[]): JsonObject {
  const changed = withValueAt(tree, path, undefined);
  return isJsonObject(changed) ? changed : tree;
}

function patchesBetween(before: readonly K8sObject[], after: readonly K8sObject[]): readonly ObjectPatch[] {
  const originals = new Map(before.map((object) => [identityOf(refOf(object)), object]));
  return after.flatMap((object) => {
    const original = originals.get(identityOf(refOf(object)));
    const operations = original === undefined ? [] : jsonPatch(original, object);
    return operations.length === 0 ? [] : [{ target: refOf(object), operations }];
  });
}

function settingsLeft(spec: JsonObject, component: ComponentName): readonly string[] {
  const path = ['components', specKeyOf(component), 'k8s'];
  return Object.keys(mapAt(spec, ...path)).map((key) => printPath(['spec', ...path, key]));
}

const GATEWAYS = ['IngressGateways', 'EgressGateways'] as const;

/**
 * Istio's chart of gateways renders other objects than `istioctl` does; its values are read off the objects. Overlays
 * become patches as for the other charts.
 */
function gatewayReleases({ plan, rehearsal, spec }: Translation): readonly HelmRelease[] {
  return GATEWAYS.flatMap((component) => {
    const objects = plan.components.find((each) => each.component === component)?.objects ?? [];
    const bare = rehearsal.objectsOf(component, {
      kind: 'specification',
      spec: withoutOverlays(spec, specKeyOf(component)),
    });
    return objects
      .filter(({ kind }) => kind === 'Deployment')
      .map((deployment): HelmRelease => {
        const name = deployment.metadata.name;
        const own = objects.filter((object) => isOfGateway(object, name));
        const before = (bare ?? []).filter((object) => isOfGateway(object, name));
        return {
          chart: 'gateway',
          release: name,
          namespace: refOf(deployment).namespace ?? plan.namespace,
          values: gatewayChartValues(before, plan.revision),
          patches: patchesBetween(before, own),
          objects: own,
          untranslated: overlaysOf(spec, specKeyOf(component), name),
        };
      });
  });
}

/** Everything of a gateway is called like its Deployment, or begins with that name. */
function isOfGateway({ metadata }: K8sObject, name: string): boolean {
  return metadata.name === name || metadata.name.startsWith(`${name}-`);
}

function withoutOverlays(spec: JsonObject, specKey: string): JsonObject {
  const entries = listAt(spec, 'components', specKey).map((entry) =>
    isJsonObject(entry) ? without(entry, ['k8s', 'overlays']) : entry,
  );
  return put(spec, ['components', specKey], entries);
}

function overlaysOf(spec: JsonObject, specKey: string, name: string): readonly string[] {
  return listAt(spec, 'components', specKey).flatMap((entry, index) =>
    at(entry, 'name') === name && listAt(entry, 'k8s', 'overlays').length > 0
      ? [printPath(['spec', 'components', specKey, index, 'k8s', 'overlays'])]
      : [],
  );
}
