/** From merged values to the objects of each component: which entries are on, what they see, what becomes of it. */
import type { AssetBundle } from '../model/assets.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { isError } from '../model/diagnostic.ts';
import type { JsonObject } from '../model/json.ts';
import { at, isJsonObject, listAt, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { ClusterFacts, ComponentName, Owner, PlannedComponent } from '../model/plan.ts';
import type { ComponentDefinition } from './components.ts';
import { COMPONENTS } from './components.ts';
import { diagnose } from './diagnostics.ts';
import type { FieldPath } from './field-path.ts';
import { firstTruthy, textOf, truthy } from './go-values.ts';
import { overlay } from './merge.ts';
import { withoutNulls } from './objects/clean.ts';
import { applyK8sSettings, ignoredSettings } from './objects/k8s-settings.ts';
import { inApplyOrder } from './objects/order.ts';
import { applyOverlays } from './objects/overlays.ts';
import { refusedVariables } from './objects/variables.ts';
import { withOwnerLabels } from './objects/owner-labels.ts';
import { templatesOfRelease } from './injection/release-templates.ts';
import type { Release } from './releases.ts';
import type { Renderer } from './render/renderer.ts';
import { RenderError } from './render/renderer.ts';
import { baseManifests, definitions } from './values/base.ts';
import { grafanaManifests } from './values/addons/grafana.ts';
import { kialiManifests } from './values/addons/kiali.ts';
import { lokiManifests } from './values/addons/loki.ts';
import { prometheusManifests } from './values/addons/prometheus.ts';
import { tracingManifests } from './values/addons/tracing.ts';
import type { ChartLayer, ChartShape, ValueSources } from './values/chart-values.ts';
import { chartLayers, chartValues } from './values/chart-values.ts';
import { cniManifests } from './values/cni.ts';
import { EGRESS, gatewayManifests, INGRESS } from './values/gateway.ts';
import type { ComponentInput, Manifest } from './values/manifest.ts';
import { pilotManifests } from './values/pilot/manifests.ts';
import { withSettingsAsValues } from './values/settings-as-values.ts';
import { nested } from './values/translate.ts';
import { ztunnelManifests } from './values/ztunnel.ts';

export interface ComponentSources {
  readonly assets: AssetBundle;
  readonly renderer: Renderer;
  readonly injectionTemplates: Readonly<Record<string, string>>;
}

export interface ComponentsInput {
  readonly spec: JsonObject;
  readonly values: JsonObject;
  readonly release: Release;
  readonly facts: ClusterFacts;
  readonly owner: Owner | undefined;
  /** Plans this component alone; all when absent. */
  readonly only?: ComponentName;
}

/** How the values of a component become manifests. */
interface Recipe {
  readonly shape: ChartShape;
  /** The values as the component sees them before its defaults are laid below. */
  readonly view: (values: JsonObject) => JsonObject;
  readonly manifests: (input: ComponentInput) => readonly Manifest[];
}

const asGiven = (values: JsonObject): JsonObject => values;

const ADDONS: ChartShape = { folder: 'addons' };

const RECIPES: Readonly<Record<(typeof COMPONENTS)[number]['name'], Recipe>> = {
  Base: { shape: { folder: 'base' }, view: asGiven, manifests: baseManifests },
  Pilot: { shape: { folder: 'pilot', prefix: 'pilot' }, view: asGiven, manifests: pilotManifests },
  Cni: { shape: { folder: 'cni', prefix: 'cni' }, view: asGiven, manifests: cniManifests },
  Ztunnel: {
    shape: { folder: 'ztunnel', flattensGlobal: true },
    view: flattenedZtunnel,
    manifests: ztunnelManifests,
  },
  IngressGateways: {
    shape: { folder: 'ingress-gateway' },
    view: asGiven,
    manifests: (input) => gatewayManifests(INGRESS, input),
  },
  EgressGateways: {
    shape: { folder: 'egress-gateway' },
    view: asGiven,
    manifests: (input) => gatewayManifests(EGRESS, input),
  },
  Prometheus: { shape: ADDONS, view: asGiven, manifests: prometheusManifests },
  Grafana: { shape: ADDONS, view: asGiven, manifests: grafanaManifests },
  Kiali: { shape: ADDONS, view: asGiven, manifests: kialiManifests },
  Tracing: { shape: ADDONS, view: asGiven, manifests: tracingManifests },
  Loki: { shape: ADDONS, view: asGiven, manifests: lokiManifests },
};

/** ztunnel sees the globals, what stands beside the groups of other components, and its own group at the top. */
function flattenedZtunnel(values: JsonObject): JsonObject {
  const own = values['ztunnel'];
  if (!isJsonObject(own)) return values;
  const plain = Object.fromEntries(Object.entries(values).filter(([, value]) => !isJsonObject(value)));
  return { ...plain, global: mapAt(values, 'global'), ...own };
}

/** What a component's values start from, and where people write them. */
export interface ComponentDefaults {
  /** Weakest first. */
  readonly layers: readonly ChartLayer[];
  /** The group under `spec.values` for what stands at the top of the layers; undefined when they are written as they are. */
  readonly group?: string;
}

/** The defaults of one component under the values that are given. */
export function defaultsOfComponent(
  sources: ValueSources,
  component: ComponentName,
  given: JsonObject,
): ComponentDefaults {
  const { shape } = RECIPES[component];
  const layers = chartLayers(sources, shape, given);
  const group = shape.flattensGlobal === true ? shape.folder : shape.prefix;
  return group === undefined ? { layers } : { layers, group };
}

export interface ComponentsPlan {
  readonly components: readonly PlannedComponent[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Plans every component that is on. Faults of several components are collected. */
export function planComponents(sources: ComponentSources, input: ComponentsInput): ComponentsPlan {
  const planned = COMPONENTS.filter(({ name }) => input.only === undefined || name === input.only).map(
    (definition) => planComponent(sources, input, definition),
  );
  return {
    components: planned.map(({ component }) => component).filter(({ objects }) => objects.length > 0),
    diagnostics: planned.flatMap(({ diagnostics }) => diagnostics),
  };
}

interface ComponentPlan {
  readonly component: PlannedComponent;
  readonly diagnostics: readonly Diagnostic[];
}

function planComponent(
  sources: ComponentSources,
  input: ComponentsInput,
  definition: (typeof COMPONENTS)[number],
): ComponentPlan {
  const entries = enabledEntries(input, definition).map((entry) =>
    planEntry(sources, input, definition, entry),
  );
  const objects = inApplyOrder(entries.flatMap((entry) => entry.objects));
  return {
    component: { component: definition.name, after: definition.after, objects },
    diagnostics: entries.flatMap((entry) => entry.diagnostics),
  };
}

/** One installation of a component: the component itself, or one gateway. */
interface Entry {
  readonly settings: JsonObject;
  readonly path: FieldPath;
}

function enabledEntries(
  { spec, values }: ComponentsInput,
  definition: ComponentDefinition,
): readonly Entry[] {
  const root = definition.specRoot ?? 'components';
  const path = ['spec', root, definition.specKey];
  const given = at(spec, root, definition.specKey);
  if (definition.specRoot !== undefined) {
    return isJsonObject(given) && given['enabled'] === true ? [{ settings: given, path }] : [];
  }
  if (definition.entries === 'one') {
    const settings = isJsonObject(given) ? given : { enabled: definition.onByDefault };
    return settings['enabled'] === false ? [] : [{ settings, path }];
  }
  // A switch in the values turns all gateways of the kind on, whatever the entries say.
  const forced = truthy(at(values, ...definition.valuesRoot, 'enabled'));
  return listAt(given).flatMap((settings, index) =>
    isJsonObject(settings) && (forced || settings['enabled'] !== false)
      ? [{ settings, path: [...path, index] }]
      : [],
  );
}

interface EntryPlan {
  readonly objects: readonly K8sObject[];
  readonly diagnostics: readonly Diagnostic[];
}

function planEntry(
  sources: ComponentSources,
  input: ComponentsInput,
  definition: (typeof COMPONENTS)[number],
  entry: Entry,
): EntryPlan {
  const recipe = RECIPES[definition.name];
  const inEntry = valuesFor(input, definition, entry.settings);
  const given = recipe.view(
    withSettingsAsValues(inEntry, { definition, settings: entry.settings, release: input.release }),
  );
  const merged = chartValues({ assets: sources.assets, release: input.release }, recipe.shape, given);
  if (merged.kind === 'invalid') return { objects: [], diagnostics: merged.diagnostics };
  const componentInput: ComponentInput = {
    values: merged.values,
    givenValues: given,
    namespace: textOf(
      firstTruthy(entry.settings['namespace'], at(input.values, 'global', 'istioNamespace')) ??
        'istio-system',
    ),
    release: input.release,
    kubernetesVersion: input.facts.kubernetesVersion,
    servedKinds: input.facts.servedKinds,
    injectionTemplates: templatesOfRelease(sources.injectionTemplates, input.release),
    files: sources.assets.files,
  };
  const rendered = renderManifests(sources.renderer, recipe.manifests(componentInput), entry.path);
  const changed = changedByUser(rendered, input, definition, entry);
  const cleaned = changed.objects.map(withoutNulls);
  const crds =
    definition.name === 'Base'
      ? definitions(componentInput, sources.assets.crds.get(input.release.line) ?? [])
      : [];
  return {
    objects: [...crds, ...cleaned].map((object) => owned(object, input, definition)),
    diagnostics: [...changed.diagnostics, ...refusedVariables(cleaned, entry.path)],
  };
}

/** Addons see all addons, since they point at each other; everything else sees none of them. */
function valuesFor(
  { spec, values }: ComponentsInput,
  definition: ComponentDefinition,
  settings: JsonObject,
): JsonObject {
  if (definition.specRoot === undefined) return withEntry(values, definition, settings);
  return { ...values, addons: mapAt(spec, definition.specRoot) };
}

/** The values with what an entry says laid over them. Labels replace: they are the entry's alone, also when it has none. */
function withEntry(values: JsonObject, definition: ComponentDefinition, settings: JsonObject): JsonObject {
  const [first, ...rest] = definition.valuesRoot;
  if (first === undefined) return values;
  const root = [first, ...rest] as const;
  const hub = settings['hub'] ?? null;
  const tag = settings['tag'] ?? null;
  const images = { ...(hub === null ? {} : { hub }), ...(tag === null ? {} : { tag: textOf(tag) }) };
  if (definition.entries === 'one') return overlay(values, nested(root, images));
  const ports = at(settings, 'k8s', 'service', 'ports');
  const { labels: _labels, ...own } = mapAt(values, ...root);
  const gateway = {
    ...own,
    ...images,
    name: settings['name'] ?? '',
    labels: settings['label'] ?? {},
    ...(truthy(ports) && ports !== undefined ? { ports } : {}),
  };
  return overlay(overlay(values, nested(root, null)), nested(root, gateway));
}

function renderManifests(renderer: Renderer, manifests: readonly Manifest[], path: FieldPath): EntryPlan {
  const diagnostics: Diagnostic[] = [];
  const objects = manifests.flatMap(({ template, view }) => {
    try {
      return [renderer.render(template, view)];
    } catch (error) {
      if (!(error instanceof RenderError)) throw error;
      const remedy =
        'Look for a value of an unusual type; if there is none, this is a fault of the operator: report it.';
      diagnostics.push(diagnose('renderFailed', { path, cause: error.message, remedy }));
      return [];
    }
  });
  return { objects, diagnostics };
}

function changedByUser(
  rendered: EntryPlan,
  input: ComponentsInput,
  definition: ComponentDefinition,
  entry: Entry,
): EntryPlan {
  const settings = mapAt(entry.settings, 'k8s');
  if (rendered.diagnostics.some(isError)) return rendered;
  const path = [...entry.path, 'k8s'];
  const revision = textOf(input.values['revision']);
  const workload = namedWorkload(definition, entry, input.values);
  const patched =
    workload === undefined
      ? { objects: rendered.objects, warnings: ignoredSettings(settings, path) }
      : applyK8sSettings(rendered.objects, settings, {
          workload,
          isGateway: definition.entries === 'many',
          path,
        });
  const overlaid = applyOverlays(patched.objects, listAt(settings, 'overlays'), {
    path: [...path, 'overlays'],
    revision: revision === 'default' ? '' : revision,
    isPartial: textOf(at(input.values, 'global', 'resourceScope') ?? 'all') !== 'all',
  });
  return { objects: overlaid.objects, diagnostics: [...patched.warnings, ...overlaid.diagnostics] };
}

/** The workload that `k8s` settings look for, by the name that it has in this installation. */
function namedWorkload(
  definition: ComponentDefinition,
  entry: Entry,
  values: JsonObject,
): ComponentDefinition['workload'] {
  const { workload } = definition;
  if (workload === undefined) return undefined;
  if (definition.entries === 'many') return { ...workload, name: textOf(entry.settings['name']) };
  const revision = textOf(values['revision']);
  const revisioned = definition.name === 'Pilot' && revision !== '' && revision !== 'default';
  return revisioned ? { ...workload, name: `${workload.name}-${revision}` } : workload;
}

function owned(object: K8sObject, input: ComponentsInput, definition: ComponentDefinition): K8sObject {
  if (input.owner === undefined) return object;
  return withOwnerLabels(object, {
    owner: input.owner,
    component: definition.name,
    revision: textOf(input.values['revision']),
    version: textOf(at(input.values, 'global', 'tag')),
  });
}
