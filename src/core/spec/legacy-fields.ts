/**
 * Fields of older releases that people still have in their files. Each is taken out and told, with what took its place.
 * Most have no effect on current Istio, and everything else in the file goes on; a few cannot be honoured.
 */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, mapAt } from '../../model/json.ts';
import { diagnose } from '../diagnostics.ts';

interface LegacyField {
  /** Under `spec`. */
  readonly path: readonly string[];
  readonly kind: 'replacedField' | 'removedField';
  /** Why, as the end of a sentence such as "it has no effect: …". */
  readonly was: string;
  readonly remedy: string;
}

const MIXER = 'Mixer was removed in Istio 1.8';
const CITADEL = 'Citadel became part of istiod in Istio 1.5';
const GALLEY = 'Galley became part of istiod in Istio 1.5';
const NODE_AGENT = 'the node agent became part of the proxy in Istio 1.5';
const INJECTOR = 'the sidecar injector became part of istiod in Istio 1.5';
const ADDON = 'Istio 1.8 took the telemetry addons out of its installer';

const USE_ISTIOD = 'Remove it: istiod (components.pilot) does this.';
const USE_TELEMETRY =
  'Remove it; access logs, metrics and traces are set by Telemetry resources and spec.meshConfig.';
const USE_AUTHORIZATION =
  'Remove it; use AuthorizationPolicy resources, with a CUSTOM action for an external authorizer.';
const USE_SIGNER =
  'Remove it; use values.global.pilotCertProvider and meshConfig.caCertificates with a certificate signer.';
const USE_ADDON = 'Remove it and install the addon beside Istio.';
const USE_MESH_CONFIG = (field: string): string => `Set spec.meshConfig.${field} instead.`;
const USE_PROXY_CONFIG = (field: string): string => `Set spec.meshConfig.defaultConfig.${field} instead.`;

const component = (name: string, was: string, remedy: string): LegacyField => ({
  kind: 'replacedField',
  path: ['components', name],
  was,
  remedy,
});
const value = (path: string, was: string, remedy: string): LegacyField => ({
  kind: 'replacedField',
  path: ['values', ...path.split('.')],
  was,
  remedy,
});

/** Silence about these would change what a mesh does; upstream's charts refuse them too. */
const removed = (path: string, remedy: string): LegacyField => ({
  kind: 'removedField',
  path: path.split('.'),
  was: 'Istio does not read it any more',
  remedy,
});

const STACKDRIVER_LIMITS = [
  'debug',
  'maxNumberOfAttributes',
  'maxNumberOfAnnotations',
  'maxNumberOfMessageEvents',
];
const USE_PROVIDER =
  'Remove it; trace through an extension provider of spec.meshConfig and a Telemetry resource.';

export const LEGACY_FIELDS: readonly LegacyField[] = [
  component('telemetry', MIXER, USE_TELEMETRY),
  component('policy', MIXER, USE_AUTHORIZATION),
  component('citadel', CITADEL, USE_ISTIOD),
  component('galley', GALLEY, USE_ISTIOD),
  component('nodeAgent', NODE_AGENT, 'Remove it: the proxy fetches its own certificates.'),
  component('sidecarInjector', INJECTOR, USE_ISTIOD),
  component('injector', INJECTOR, USE_ISTIOD),
  component('certManager', 'cert-manager is not installed any more', USE_SIGNER),
  component(
    'coreDNS',
    'istiocoredns was removed in Istio 1.8',
    'Set spec.meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE to "true".',
  ),
  component(
    'istiodRemote',
    'a control plane elsewhere is a profile',
    'Use profile: remote, with values.global.remotePilotAddress.',
  ),
  {
    kind: 'replacedField',
    path: ['resourceSuffix'],
    was: 'resourceSuffix never left its trial',
    remedy: 'Use spec.revision.',
  },
  ...['istiocoredns', 'prometheusOperator'].map((name): LegacyField => ({
    kind: 'replacedField',
    path: ['addonComponents', name],
    was: ADDON,
    remedy: USE_ADDON,
  })),
  value('mixer', MIXER, USE_TELEMETRY),
  value('galley', GALLEY, USE_ISTIOD),
  value('security', CITADEL, `${USE_ISTIOD} Mutual TLS is set by PeerAuthentication resources.`),
  value('nodeagent', NODE_AGENT, 'Remove it: the proxy fetches its own certificates.'),
  value('certmanager', 'cert-manager is not installed any more', USE_SIGNER),
  value(
    'sidecarInjectorWebhook.enabled',
    INJECTOR,
    'Remove it; values.global.operatorManageWebhooks switches the webhook off.',
  ),
  value('prometheusOperator', ADDON, USE_ADDON),
  value(
    'istiocoredns',
    'istiocoredns was removed in Istio 1.8',
    'Set spec.meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE to "true".',
  ),
  value(
    'global.mtls',
    'the mesh-wide switch was removed in Istio 1.8',
    'Use a PeerAuthentication resource in the root namespace; automatic mutual TLS is spec.meshConfig.enableAutoMtls.',
  ),
  value('global.outboundTrafficPolicy', 'it moved in Istio 1.6', USE_MESH_CONFIG('outboundTrafficPolicy')),
  value('global.certificates', 'it moved in Istio 1.6', USE_MESH_CONFIG('certificates')),
  value('global.localityLbSetting', 'it moved in Istio 1.6', USE_MESH_CONFIG('localityLbSetting')),
  value(
    'gateways.enabled',
    'each gateway has its own switch',
    'Use enabled of the entries under spec.components.ingressGateways and egressGateways.',
  ),
  value('istio_cni', 'its settings moved', 'Use spec.components.cni and values.pilot.cni.'),
  value('global.policyCheckFailOpen', MIXER, USE_AUTHORIZATION),
  value('global.disablePolicyChecks', MIXER, USE_AUTHORIZATION),
  value('global.enableTracing', 'it moved in Istio 1.6', USE_MESH_CONFIG('enableTracing')),
  value(
    'global.meshExpansion',
    'it was removed in Istio 1.8',
    'Use Gateway resources and WorkloadGroup of your own.',
  ),
  value('global.useMCP', GALLEY, USE_ISTIOD),
  value('global.sds.enabled', NODE_AGENT, 'Remove it: certificates always come by SDS.'),
  value('global.controlPlaneSecurityEnabled', 'it is always on', 'Remove it.'),
  value('global.k8sIngress', 'it was removed in Istio 1.8', USE_MESH_CONFIG('ingressControllerMode')),
  value('global.proxy.accessLogFile', 'it moved in Istio 1.6', USE_MESH_CONFIG('accessLogFile')),
  value('global.proxy.accessLogFormat', 'it moved in Istio 1.6', USE_MESH_CONFIG('accessLogFormat')),
  value('global.proxy.accessLogEncoding', 'it moved in Istio 1.6', USE_MESH_CONFIG('accessLogEncoding')),
  value('global.proxy.concurrency', 'it moved in Istio 1.6', USE_PROXY_CONFIG('concurrency')),
  value(
    'global.proxy.envoyAccessLogService',
    'it moved in Istio 1.6',
    USE_PROXY_CONFIG('envoyAccessLogService'),
  ),
  value('global.proxy.envoyMetricsService', 'it moved in Istio 1.6', USE_PROXY_CONFIG('envoyMetricsService')),
  value(
    'global.proxy.protocolDetectionTimeout',
    'it moved in Istio 1.6',
    USE_MESH_CONFIG('protocolDetectionTimeout'),
  ),
  value('global.proxy.dnsRefreshRate', 'it moved in Istio 1.6', USE_MESH_CONFIG('dnsRefreshRate')),
  value('pilot.ingress', 'it moved in Istio 1.6', USE_MESH_CONFIG('ingressControllerMode')),
  value('pilot.policy', MIXER, USE_AUTHORIZATION),
  value('pilot.telemetry', MIXER, USE_TELEMETRY),
  value('telemetry.v1', MIXER, USE_TELEMETRY),
  removed(
    'values.telemetry.v2.prometheus.configOverride',
    'Remove it; metrics are changed by Telemetry resources.',
  ),
  removed(
    'values.telemetry.v2.stackdriver.disableOutbound',
    'Remove it; metrics are changed by Telemetry resources.',
  ),
  ...[
    'values.global.tracer.stackdriver',
    'values.meshConfig.defaultConfig.tracing.stackdriver',
    'meshConfig.defaultConfig.tracing.stackdriver',
  ].flatMap((root) => STACKDRIVER_LIMITS.map((limit) => removed(`${root}.${limit}`, USE_PROVIDER))),
];

export interface TranslatedSpec {
  readonly spec: JsonObject;
  readonly diagnostics: readonly Diagnostic[];
}

/** Values of older releases that are switches of addons now. */
const ADDON_SWITCHES = ['prometheus', 'grafana', 'kiali', 'tracing'];

/** Takes fields of older releases out of a specification; switches of addons go to where they are read now. */
export function translateLegacyFields(spec: JsonObject): TranslatedSpec {
  const moved = ADDON_SWITCHES.reduce<TranslatedSpec>(moveAddonSwitch, { spec, diagnostics: [] });
  const translated = withoutLegacyFields(moved.spec);
  return { spec: translated.spec, diagnostics: [...moved.diagnostics, ...translated.diagnostics] };
}

/** A `--set` flag in its present spelling, when it sets a switch that has moved; else undefined. */
export function movedFlag(text: string): string | undefined {
  const [, name, rest] = /^(?:spec\.)?values\.(\w+)\.enabled(=.*)$/su.exec(text) ?? [];
  if (name === undefined || !ADDON_SWITCHES.includes(name)) return undefined;
  return `addonComponents.${name}.enabled${rest ?? ''}`;
}

/** The new spelling wins over the old one. Of the addon's other values of that time none has a meaning. */
function moveAddonSwitch(current: TranslatedSpec, name: string): TranslatedSpec {
  const old = at(current.spec, 'values', name);
  const remaining = withoutPath(current.spec, ['values', name]);
  if (remaining === undefined) return current;
  const enabled = at(old, 'enabled');
  const isSwitch = typeof enabled === 'boolean';
  const settings = { ...(isSwitch ? { enabled } : {}), ...mapAt(remaining, 'addonComponents', name) };
  const addonComponents = { ...mapAt(remaining, 'addonComponents'), [name]: settings };
  const diagnostic = isSwitch
    ? diagnose('movedField', {
        path: ['spec', 'values', name],
        cause: `its switch is read as addonComponents.${name}.enabled, and nothing else of it is read`,
        remedy: `Write spec.addonComponents.${name} instead.`,
      })
    : diagnose('replacedField', {
        path: ['spec', 'values', name],
        cause: `it has no effect: ${ADDON}`,
        remedy: `Use spec.addonComponents.${name}.`,
      });
  return {
    spec: isSwitch ? { ...remaining, addonComponents } : remaining,
    diagnostics: [...current.diagnostics, diagnostic],
  };
}

function withoutLegacyFields(spec: JsonObject): TranslatedSpec {
  return LEGACY_FIELDS.reduce<TranslatedSpec>(
    (current, field) => {
      const remaining = withoutPath(current.spec, field.path);
      if (remaining === undefined) return current;
      const diagnostic = toDiagnostic(field, at(current.spec, ...field.path));
      return { spec: remaining, diagnostics: [...current.diagnostics, diagnostic] };
    },
    { spec, diagnostics: [] },
  );
}

const VERDICTS = {
  replacedField: 'it has no effect',
  removedField: 'it cannot be honoured',
} as const;

function toDiagnostic(field: LegacyField, given: JsonValue | undefined): Diagnostic {
  // Null asks for nothing, so nothing is refused.
  const kind = given === null ? 'replacedField' : field.kind;
  const { path, was, remedy } = field;
  return diagnose(kind, { path: ['spec', ...path], cause: `${VERDICTS[kind]}: ${was}`, remedy });
}

/** The tree without that path; undefined when it does not have it. */
function withoutPath(tree: JsonObject, path: readonly string[]): JsonObject | undefined {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(tree, key)) return undefined;
  const entries = Object.entries(tree);
  if (rest.length === 0) return Object.fromEntries(entries.filter(([name]) => name !== key));
  const child: JsonValue | undefined = tree[key];
  const remaining = isJsonObject(child) ? withoutPath(child, rest) : undefined;
  if (remaining === undefined) return undefined;
  return Object.fromEntries(entries.map(([name, entry]) => [name, name === key ? remaining : entry]));
}
