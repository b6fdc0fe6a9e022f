/** The bundled Grafana, with the data sources that are there and dashboards of our own. */
import type { JsonObject } from '../../../model/json.ts';
import { textOf } from '../../go-values.ts';
import { printYaml } from '../../yaml.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import {
  accountManifest,
  addonManifests,
  claimManifests,
  configManifest,
  imageOf,
  podView,
  serviceManifest,
  urlOf,
} from './addon.ts';
import type { Addon } from './addon.ts';

const DASHBOARD_FOLDER = 'addons/files/dashboards/';

export function grafanaManifests(input: ComponentInput): readonly Manifest[] {
  return addonManifests('grafana', input, (addon) => {
    const texts = configuration(addon);
    return [
      accountManifest(addon),
      configManifest(addon, addon.name, texts),
      configManifest(addon, 'grafana-dashboards', dashboards(input)),
      ...claimManifests(addon),
      serviceManifest(addon, addon.name, [{ name: 'http', port: 3000, targetPort: 3000 }]),
      deploymentManifest(addon, JSON.stringify(texts)),
    ];
  });
}

function configuration(addon: Addon): JsonObject {
  return {
    'grafana.ini': grafanaIni(addon),
    'datasources.yaml': printYaml({ apiVersion: 1, prune: true, datasources: dataSources(addon) }),
    'dashboards.yaml': printYaml({ apiVersion: 1, providers: [DASHBOARDS] }),
  };
}

const DASHBOARDS: JsonObject = {
  name: 'istio',
  folder: 'Istio',
  type: 'file',
  disableDeletion: true,
  allowUiUpdates: false,
  options: { path: '/var/lib/grafana-dashboards' },
};

/** Whoever is not logged in may look at most, never change. */
function grafanaIni(addon: Addon): string {
  const anonymous = addon.settings['anonymousAccess'] === true;
  return `[analytics]
check_for_updates = false
reporting_enabled = false
[auth.anonymous]
enabled = ${String(anonymous)}
org_role = Viewer
[log]
mode = console
[users]
allow_sign_up = false
`;
}

/** The uids are fixed: dashboards and links between data sources name them. */
function dataSources({ addons }: Addon): readonly JsonObject[] {
  const tracing = urlOf(addons, 'tracing');
  const found: readonly JsonObject[] = [
    {
      name: 'Prometheus',
      uid: 'prometheus',
      type: 'prometheus',
      url: urlOf(addons, 'prometheus') ?? null,
      isDefault: true,
      jsonData: { timeInterval: '15s' },
    },
    { name: 'Loki', uid: 'loki', type: 'loki', url: urlOf(addons, 'loki') ?? null },
    {
      name: 'Jaeger',
      uid: 'jaeger',
      type: 'jaeger',
      url: tracing === undefined ? null : `${tracing}/jaeger`,
    },
  ];
  return found
    .filter((source) => source['url'] !== null)
    .map((source) => ({ orgId: 1, access: 'proxy', editable: false, ...source }));
}

function dashboards({ files }: ComponentInput): JsonObject {
  const entries = [...files]
    .filter(([path]) => path.startsWith(DASHBOARD_FOLDER))
    .map(([path, text]) => [path.slice(DASHBOARD_FOLDER.length), text] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function deploymentManifest(addon: Addon, config: string): Manifest {
  const secret = textOf(addon.settings['secretName']);
  return {
    template: 'addons/grafana',
    view: {
      ...podView(addon, config),
      image: imageOf(addon, 'grafana'),
      secretName: secret === '' ? null : secret,
    },
  };
}
