/** The bundled Prometheus: collects the metrics of the mesh and of Istio, and judges them by rules. */
import { textOf } from '../../go-values.ts';
import { printYaml } from '../../yaml.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import {
  accountManifest,
  addonManifests,
  addonOf,
  addonsOf,
  claimManifests,
  configManifest,
  imageOf,
  podView,
  rightsManifests,
  serviceManifest,
  shippedFile,
  usesMonitors,
} from './addon.ts';
import type { Addon } from './addon.ts';
import { monitorManifests } from './monitors.ts';
import { PROMETHEUS_CONFIG } from './prometheus-config.ts';

/** Finding targets, and reading the metrics of kubelets. */
const RIGHTS = [
  { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
];

export function prometheusManifests(input: ComponentInput): readonly Manifest[] {
  if (usesMonitors(addonsOf(input.values))) return monitorManifests(addonOf('prometheus', input));
  return addonManifests('prometheus', input, (addon) => [
    accountManifest(addon),
    ...rightsManifests(addon, RIGHTS),
    configManifest(addon, addon.name, {
      'prometheus.yml': printYaml(PROMETHEUS_CONFIG),
      'rules.yml': shippedFile(addon, 'rules.yaml'),
    }),
    ...claimManifests(addon),
    serviceManifest(addon, addon.name, [{ name: 'http', port: 9090, targetPort: 9090 }]),
    deploymentManifest(addon),
  ]);
}

function deploymentManifest(addon: Addon): Manifest {
  const retention = textOf(addon.settings['retention']);
  return {
    template: 'addons/prometheus',
    view: {
      ...podView(addon),
      image: imageOf(addon, 'prometheus'),
      reloaderImage: imageOf(addon, 'configReloader', true),
      retention: `--storage.tsdb.retention.time=${retention === '' ? '15d' : retention}`,
    },
  };
}
