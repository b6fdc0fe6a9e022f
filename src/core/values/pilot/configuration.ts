/** The ConfigMaps that istiod reads, and the one that tells people and tools what it was installed with. */
import type { JsonObject } from '../../../model/json.ts';
import { isJsonObject } from '../../../model/json.ts';
import { sortedEntries } from '../../go-values.ts';
import { printGoYaml } from '../../yaml.ts';
import { goJson } from '../go-json.ts';
import { RELEASE_NAME, revisionLabel, withRevision } from '../labels.ts';
import type { Manifest, View } from '../manifest.ts';
import { injectorConfig, injectorValues } from './injector.ts';
import type { Istiod } from './istiod.ts';
import { pilotManifest } from './istiod.ts';
import { meshConfig, meshNetworks } from './mesh-config.ts';

/** All ConfigMaps but the one of extra authorities, which belongs to the workload. */
export function configurationManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  return [
    pilotManifest('configmap-values', valuesView(istiod)),
    ...(v.is('configMap') ? [pilotManifest('configmap-mesh', meshView(istiod))] : []),
    ...(v.is('global', 'omitSidecarInjectorConfigMap')
      ? []
      : [pilotManifest('configmap-injector', injectorView(istiod))]),
    ...gatewayClassManifests(istiod),
  ];
}

function configMapLabels({ own, standard }: Istiod): JsonObject {
  return { ...own, release: RELEASE_NAME, ...standard };
}

function valuesView(istiod: Istiod): View {
  const { input, revision } = istiod;
  return {
    name: withRevision('values', revision),
    namespace: input.namespace,
    labels: configMapLabels(istiod),
    original: goJson(input.givenValues),
    merged: goJson(input.values),
  };
}

function meshView(istiod: Istiod): View {
  const { input, v, revision } = istiod;
  return {
    name: withRevision('istio', revision),
    namespace: input.namespace,
    labels: configMapLabels(istiod),
    mesh: printGoYaml(meshConfig(v, input.namespace)),
    meshNetworks: printGoYaml(meshNetworks(v)),
  };
}

function injectorView(istiod: Istiod): View {
  const { input, v, revision } = istiod;
  return {
    name: withRevision('istio-sidecar-injector', revision),
    namespace: input.namespace,
    labels: configMapLabels(istiod),
    config: injectorConfig(v, input.injectionTemplates),
    values: goJson(injectorValues(v)),
  };
}

function gatewayClassManifests(istiod: Istiod): readonly Manifest[] {
  const { input, v, revision } = istiod;
  return sortedEntries(v.map('gatewayClasses')).map(([gatewayClass, overlays]) =>
    pilotManifest('configmap-gateway-class', {
      name: `istio-${revisionLabel(revision)}-gatewayclass-${gatewayClass}`,
      namespace: input.namespace,
      labels: { ...configMapLabels(istiod), 'gateway.istio.io/defaults-for-class': gatewayClass },
      overlays: isJsonObject(overlays) ? overlayTexts(overlays) : {},
    }),
  );
}

function overlayTexts(overlays: JsonObject): JsonObject {
  return Object.fromEntries(
    sortedEntries(overlays).map(([kind, tree]) => [kind, printGoYaml(tree).trimEnd()]),
  );
}
