/** The images of the telemetry addons: the one table of their versions, and how a registry of one's own takes effect. */
import type { JsonObject } from '../../../model/json.ts';
import { textOf } from '../../go-values.ts';

interface PinnedImage {
  /** Where the project publishes it. */
  readonly hub: string;
  readonly name: string;
  readonly tag: string;
  /** Where the number comes from. */
  readonly source: string;
}

const ISTIO_SAMPLES = 'samples/addons of Istio 1.30.3, which Istio tests its releases with';

export const ADDON_IMAGES = {
  prometheus: { hub: 'docker.io/prom', name: 'prometheus', tag: 'v3.10.0', source: ISTIO_SAMPLES },
  configReloader: {
    hub: 'ghcr.io/prometheus-operator',
    name: 'prometheus-config-reloader',
    tag: 'v0.89.0',
    source: ISTIO_SAMPLES,
  },
  grafana: { hub: 'docker.io/grafana', name: 'grafana', tag: '12.0.1', source: ISTIO_SAMPLES },
  kiali: { hub: 'quay.io/kiali', name: 'kiali', tag: 'v2.26', source: ISTIO_SAMPLES },
  jaeger: { hub: 'docker.io/jaegertracing', name: 'jaeger', tag: '2.14.0', source: ISTIO_SAMPLES },
  loki: { hub: 'docker.io/grafana', name: 'loki', tag: '3.6.5', source: ISTIO_SAMPLES },
  collector: {
    hub: 'docker.io/otel',
    name: 'opentelemetry-collector',
    tag: '0.123.0',
    source: 'none of Istio; written down without a registry at hand, so try it before you rely on it',
  },
} as const satisfies Readonly<Record<string, PinnedImage>>;

export type AddonImage = keyof typeof ADDON_IMAGES;

/** Registries that hold Istio and nothing else: naming one of them does not say where Prometheus is to come from. */
const ISTIO_HUBS =
  /^(docker\.io\/)?istio$|^(docker\.io|gcr\.io|registry\.istio\.io)\/(istio|release|testing)/u;

export interface ImageChoice {
  /** `spec.addonComponents.<addon>`. */
  readonly settings: JsonObject;
  /** The hub of the installation. */
  readonly hub: string;
  /** Beside the main container's; `settings.tag` is not meant for it. */
  readonly isHelper?: true;
}

/**
 * The addon's own hub counts first, then the hub of the installation where it is a mirror (anything but Istio's public
 * registries), then the project's registry. A mirror holds the images under their last name.
 */
export function addonImage(image: AddonImage, { settings, hub, isHelper }: ImageChoice): string {
  const pinned = ADDON_IMAGES[image];
  const mirror = hub === '' || ISTIO_HUBS.test(hub) ? '' : hub;
  const registry = [textOf(settings['hub']), mirror, pinned.hub].find((candidate) => candidate !== '');
  const tag = isHelper === true ? '' : textOf(settings['tag']);
  return `${registry ?? pinned.hub}/${pinned.name}:${tag === '' ? pinned.tag : tag}`;
}
