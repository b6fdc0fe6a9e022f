/** The bundled Kiali, pointed at this revision of Istio and at the addons that are on. */
import type { JsonObject } from '../../../model/json.ts';
import { textOf } from '../../go-values.ts';
import { printYaml } from '../../yaml.ts';
import { withRevision } from '../labels.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import {
  accountManifest,
  addonManifests,
  configManifest,
  hostOf,
  imageOf,
  isBundled,
  podView,
  rightsManifests,
  serviceManifest,
  urlOf,
} from './addon.ts';
import type { Addon } from './addon.ts';

const READ = ['get', 'list', 'watch'];
const rule = (group: string, resources: readonly string[], verbs: readonly string[] = READ): JsonObject => ({
  apiGroups: [group],
  resources,
  verbs,
});

/** Kiali only looks: it is configured as view-only, so it gets no right to change anything. */
const RIGHTS: readonly JsonObject[] = [
  rule('', [
    'configmaps',
    'endpoints',
    'namespaces',
    'pods',
    'pods/log',
    'replicationcontrollers',
    'services',
  ]),
  // It asks istiod for the state of proxies this way.
  rule('', ['pods/portforward'], ['create']),
  rule('apps', ['daemonsets', 'deployments', 'replicasets', 'statefulsets']),
  rule('batch', ['cronjobs', 'jobs']),
  ...[
    'networking.istio.io',
    'security.istio.io',
    'extensions.istio.io',
    'telemetry.istio.io',
    'gateway.networking.k8s.io',
    'inference.networking.k8s.io',
  ].map((group) => rule(group, ['*'])),
  rule('admissionregistration.k8s.io', ['mutatingwebhookconfigurations']),
  rule('authentication.k8s.io', ['tokenreviews'], ['create']),
];

export function kialiManifests(input: ComponentInput): readonly Manifest[] {
  return addonManifests('kiali', input, (addon) => {
    const config = printYaml(configuration(addon));
    return [
      accountManifest(addon),
      ...rightsManifests(addon, RIGHTS),
      configManifest(addon, addon.name, { 'config.yaml': config }),
      serviceManifest(addon, addon.name, [
        { name: 'http', port: 20_001, targetPort: 20_001 },
        { name: 'http-metrics', port: 9090, targetPort: 9090 },
      ]),
      { template: 'addons/kiali', view: { ...podView(addon, config), image: imageOf(addon, 'kiali') } },
    ];
  });
}

function configuration(addon: Addon): JsonObject {
  const { addons, input } = addon;
  const isOpen = addon.settings['anonymousAccess'] === true;
  return {
    auth: { strategy: isOpen ? 'anonymous' : 'token' },
    deployment: {
      cluster_wide_access: true,
      instance_name: addon.name,
      namespace: addon.namespace,
      view_only_mode: true,
    },
    external_services: {
      grafana: service(urlOf(addons, 'grafana')),
      istio: istio(input, addons.controlPlaneNamespace),
      prometheus: service(urlOf(addons, 'prometheus')),
      tracing: tracing(addon),
    },
    server: {
      observability: { metrics: { enabled: true, port: 9090 } },
      port: 20_001,
      web_root: '/kiali',
    },
  };
}

/** Every revision has objects of its own names. */
function istio({ values }: ComponentInput, namespace: string): JsonObject {
  const revision = textOf(values['revision']);
  return {
    root_namespace: namespace,
    config_map_name: withRevision('istio', revision),
    istio_sidecar_injector_config_map_name: withRevision('istio-sidecar-injector', revision),
    istiod_deployment_name: withRevision('istiod', revision),
  };
}

function service(url: string | undefined): JsonObject {
  return url === undefined ? { enabled: false } : { enabled: true, internal_url: url, url };
}

function tracing({ addons }: Addon): JsonObject {
  if (!isBundled(addons, 'tracing')) return service(urlOf(addons, 'tracing'));
  const host = hostOf(addons, 'tracing');
  return {
    enabled: true,
    provider: 'jaeger',
    use_grpc: true,
    internal_url: `http://${host}:16685/jaeger`,
    namespace_selector: false,
  };
}
