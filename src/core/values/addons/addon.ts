/** What the telemetry addons have in common: their settings, their names, and where each finds the others. */
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { at, mapAt } from '../../../model/json.ts';
import { textOf, truthy } from '../../go-values.ts';
import { standardLabels } from '../labels.ts';
import type { ComponentInput, Manifest, View } from '../manifest.ts';
import { sharedManifest } from '../manifest.ts';
import { pullSecrets, readValues } from '../reader.ts';
import { addonImage } from './images.ts';
import type { AddonImage } from './images.ts';

export type AddonKey = 'prometheus' | 'grafana' | 'kiali' | 'tracing' | 'loki';

/** The Service that other addons, proxies and people use. */
const SERVICES = {
  prometheus: { name: 'prometheus', port: 9090 },
  grafana: { name: 'grafana', port: 3000 },
  kiali: { name: 'kiali', port: 20_001 },
  tracing: { name: 'tracing', port: 80 },
  loki: { name: 'loki', port: 3100 },
} as const satisfies Readonly<Record<AddonKey, { readonly name: string; readonly port: number }>>;

export interface Addons {
  /** `spec.addonComponents`. */
  readonly settings: JsonObject;
  readonly controlPlaneNamespace: string;
}

/** Whether an addon is on, be it installed here or elsewhere. Off unless it says so. */
export function isOn({ settings }: Addons, key: AddonKey): boolean {
  return at(settings, key, 'enabled') === true;
}

/** Modes in which nothing that runs is installed. */
const ELSEWHERE: ReadonlySet<string> = new Set(['external', 'monitors']);

/** Whether an addon is on and installed by us. */
export function isBundled(addons: Addons, key: AddonKey): boolean {
  return isOn(addons, key) && !ELSEWHERE.has(textOf(at(addons.settings, key, 'mode')));
}

/** Whether the Prometheus of the cluster is to be told, by objects of its operator, what to collect. */
export function usesMonitors(addons: Addons): boolean {
  return isOn(addons, 'prometheus') && at(addons.settings, 'prometheus', 'mode') === 'monitors';
}

function namespaceOfAddon({ settings, controlPlaneNamespace }: Addons, key: AddonKey): string {
  const namespace = textOf(at(settings, key, 'namespace'));
  return namespace === '' ? controlPlaneNamespace : namespace;
}

/** The address of a Service of the addon, as everything in the cluster resolves it. */
export function hostOf(addons: Addons, key: AddonKey, service: string = SERVICES[key].name): string {
  return `${service}.${namespaceOfAddon(addons, key)}.svc.cluster.local`;
}

/** Where the addon answers; undefined when it is off, or elsewhere without saying where. */
export function urlOf(addons: Addons, key: AddonKey): string | undefined {
  if (!isOn(addons, key)) return undefined;
  const url = textOf(at(addons.settings, key, 'url'));
  if (url !== '') return url;
  return isBundled(addons, key) ? `http://${hostOf(addons, key)}:${SERVICES[key].port}` : undefined;
}

/** One addon that we install, with everything that its manifests need. */
export interface Addon {
  readonly key: AddonKey;
  readonly name: string;
  readonly namespace: string;
  readonly settings: JsonObject;
  readonly addons: Addons;
  readonly input: ComponentInput;
  readonly labels: JsonObject;
  readonly selector: JsonObject;
}

/** The manifests of an addon that is bundled; nothing for one that is elsewhere. */
export function addonManifests(
  key: AddonKey,
  input: ComponentInput,
  manifests: (addon: Addon) => readonly Manifest[],
): readonly Manifest[] {
  return isBundled(addonsOf(input.values), key) ? manifests(addonOf(key, input)) : [];
}

/** The addon as its manifests need it, whether or not it is on. */
export function addonOf(key: AddonKey, input: ComponentInput): Addon {
  const addons = addonsOf(input.values);
  const name = key === 'tracing' ? 'jaeger' : key;
  const selector = { 'app.kubernetes.io/name': name };
  // The names by which people, Kiali and upstream's documentation look for the pods.
  const labels = { ...standardLabels(input.release), ...selector, app: name };
  return {
    key,
    name,
    namespace: namespaceOfAddon(addons, key),
    settings: mapAt(addons.settings, key),
    addons,
    input,
    labels,
    selector,
  };
}

export function addonsOf(values: JsonObject): Addons {
  const v = readValues(values);
  return { settings: v.map('addons'), controlPlaneNamespace: v.text('global', 'istioNamespace') };
}

/** The image of the addon, or of what runs beside it, which has a setting of its own. */
export function imageOf({ settings, input }: Addon, image: AddonImage, isHelper?: true): string {
  const own = isHelper === true ? textOf(settings['helperImage']) : '';
  if (own !== '') return own;
  const hub = textOf(at(input.values, 'global', 'hub'));
  return addonImage(image, { settings, hub, ...(isHelper === undefined ? {} : { isHelper }) });
}

/** What every Deployment of an addon prints. `config` is what its pods read only once, when they start. */
export function podView(addon: Addon, config?: string): View {
  const v = readValues(addon.input.values);
  const size = textOf(at(addon.settings, 'storage', 'size'));
  return {
    name: addon.name,
    namespace: addon.namespace,
    labels: addon.labels,
    selector: addon.selector,
    podLabels: { ...addon.labels, 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' },
    podAnnotations: config === undefined ? {} : { 'install.istio.io/configuration': fingerprint(config) },
    imagePullPolicy: v.whenSet('global', 'imagePullPolicy'),
    imagePullSecrets: pullSecrets(v.list('global', 'imagePullSecrets')),
    storage: {
      name: 'storage',
      ...(size === '' ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: addon.name } }),
    },
  };
}

/** FNV-1a: enough to tell that a text changed, so that pods which read it only at their start are replaced. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const character of text) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

export function accountManifest(addon: Addon): Manifest {
  return sharedManifest('service-account', {
    name: addon.name,
    namespace: addon.namespace,
    labels: addon.labels,
    annotations: null,
    imagePullSecrets: pullSecrets(readValues(addon.input.values).list('global', 'imagePullSecrets')),
  });
}

/** Cluster-wide rights. The namespace is in the name, because several installations may stand side by side. */
export function rightsManifests(addon: Addon, rules: readonly JsonObject[]): readonly Manifest[] {
  const name = `istio-addon-${addon.name}-${addon.namespace}`;
  const shared = { name, labels: addon.labels, annotations: null };
  return [
    sharedManifest('cluster-role', { ...shared, rules }),
    sharedManifest('cluster-role-binding', {
      ...shared,
      role: name,
      account: addon.name,
      accountNamespace: addon.namespace,
    }),
  ];
}

export function configManifest(addon: Addon, name: string, texts: JsonObject): Manifest {
  return {
    template: 'addons/configmap',
    view: { name, namespace: addon.namespace, labels: addon.labels, texts },
  };
}

export interface ServicePort extends JsonObject {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
}

/** A Service of the addon. Only the one that people open takes the type that the resource asks for. */
export function serviceManifest(
  addon: Addon,
  name: string,
  ports: readonly ServicePort[],
  options: { readonly isInternal?: true } = {},
): Manifest {
  const type = textOf(at(addon.settings, 'service', 'type'));
  const isPublic = options.isInternal === undefined && truthy(type);
  const view = { name, namespace: addon.namespace, labels: addon.labels, selector: addon.selector };
  return {
    template: 'addons/service',
    view: { ...view, type: isPublic ? type : 'ClusterIP', ports: ports.map(tcp) },
  };
}

function tcp(port: ServicePort): JsonValue {
  return { ...port, protocol: 'TCP' };
}

/** The claim for the addon's data, when it is to be kept. The engine never deletes claims. */
export function claimManifests(addon: Addon): readonly Manifest[] {
  const size = textOf(at(addon.settings, 'storage', 'size'));
  if (size === '') return [];
  const className = textOf(at(addon.settings, 'storage', 'className'));
  const view = {
    name: addon.name,
    namespace: addon.namespace,
    labels: addon.labels,
    size,
    className: className === '' ? null : className,
  };
  return [{ template: 'addons/claim', view }];
}

/** A text that ships with the operator. */
export function shippedFile({ input }: Addon, name: string): string {
  const text = input.files.get(`addons/files/${name}`);
  if (text === undefined) throw new Error(`templates/addons/files/${name} is missing`);
  return text;
}
