/** The components of an IstioOperator: what each is called everywhere it has a name. */
import type { ComponentName } from '../model/plan.ts';

/** The workload that the `k8s` settings of a component change. */
export interface Workload {
  readonly kind: 'Deployment' | 'DaemonSet';
  /** For gateways the name of the entry takes its place. */
  readonly name: string;
  readonly container: string;
}

export interface ComponentDefinition {
  readonly name: ComponentName;
  /** Where its settings stand under `spec`; `components` unless said. Addons are off unless they say `enabled: true`. */
  readonly specRoot?: 'addonComponents';
  /** Key under `spec.components`, or under `specRoot`. */
  readonly specKey: string;
  /** `many`: a list of entries with names (gateways). */
  readonly entries: 'one' | 'many';
  /** Whether the component is on when `spec.components` does not mention it. */
  readonly onByDefault: boolean;
  /** Folder under templates/. */
  readonly folder: string;
  /** Name of upstream's chart; part of the pod template labels that must survive an adoption. */
  readonly chart: string;
  /** Path of the component's own values under `spec.values`. */
  readonly valuesRoot: readonly string[];
  readonly workload?: Workload;
  /** Components that must be ready before this one is applied. */
  readonly after: readonly ComponentName[];
}

interface AddonDefinition<Name extends AddonName> extends ComponentDefinition {
  readonly name: Name;
  readonly specRoot: 'addonComponents';
  readonly entries: 'one';
  readonly valuesRoot: readonly [];
}

const AFTER_PROMETHEUS = ['Base', 'Pilot', 'Prometheus'] as const;

/** In dependency order: a component comes after everything in its `after`. */
export const COMPONENTS = [
  {
    name: 'Base',
    specKey: 'base',
    entries: 'one',
    onByDefault: true,
    folder: 'base',
    chart: 'base',
    valuesRoot: ['global'],
    after: [],
  },
  {
    name: 'Pilot',
    specKey: 'pilot',
    entries: 'one',
    onByDefault: true,
    folder: 'pilot',
    chart: 'istiod',
    valuesRoot: ['pilot'],
    workload: { kind: 'Deployment', name: 'istiod', container: 'discovery' },
    after: ['Base'],
  },
  {
    name: 'Cni',
    specKey: 'cni',
    entries: 'one',
    onByDefault: false,
    folder: 'cni',
    chart: 'cni',
    valuesRoot: ['cni'],
    workload: { kind: 'DaemonSet', name: 'istio-cni-node', container: 'install-cni' },
    after: ['Base', 'Pilot'],
  },
  {
    name: 'Ztunnel',
    specKey: 'ztunnel',
    entries: 'one',
    onByDefault: false,
    folder: 'ztunnel',
    chart: 'ztunnel',
    valuesRoot: ['ztunnel'],
    workload: { kind: 'DaemonSet', name: 'ztunnel', container: 'istio-proxy' },
    after: ['Base', 'Pilot', 'Cni'],
  },
  {
    name: 'IngressGateways',
    specKey: 'ingressGateways',
    entries: 'many',
    onByDefault: true,
    folder: 'ingress-gateway',
    chart: 'istio-ingress',
    valuesRoot: ['gateways', 'istio-ingressgateway'],
    workload: { kind: 'Deployment', name: 'istio-ingressgateway', container: 'istio-proxy' },
    after: ['Base', 'Pilot', 'Cni', 'Ztunnel'],
  },
  {
    name: 'EgressGateways',
    specKey: 'egressGateways',
    entries: 'many',
    onByDefault: false,
    folder: 'egress-gateway',
    chart: 'istio-egress',
    valuesRoot: ['gateways', 'istio-egressgateway'],
    workload: { kind: 'Deployment', name: 'istio-egressgateway', container: 'istio-proxy' },
    after: ['Base', 'Pilot', 'Cni', 'Ztunnel'],
  },
  addon('Prometheus', { specKey: 'prometheus', container: 'prometheus-server', after: ['Base', 'Pilot'] }),
  addon('Grafana', { specKey: 'grafana', container: 'grafana', after: AFTER_PROMETHEUS }),
  addon('Kiali', { specKey: 'kiali', container: 'kiali', after: AFTER_PROMETHEUS }),
  addon('Tracing', {
    specKey: 'tracing',
    deployment: 'jaeger',
    container: 'jaeger',
    after: AFTER_PROMETHEUS,
  }),
  addon('Loki', { specKey: 'loki', container: 'loki', after: AFTER_PROMETHEUS }),
] as const satisfies readonly ComponentDefinition[];

type AddonName = Extract<ComponentName, 'Prometheus' | 'Grafana' | 'Kiali' | 'Tracing' | 'Loki'>;

interface AddonSketch {
  readonly specKey: 'prometheus' | 'grafana' | 'kiali' | 'tracing' | 'loki';
  readonly container: string;
  /** Where it is not called like the addon. */
  readonly deployment?: string;
  readonly after: readonly ComponentName[];
}

/** Addons differ only in their names: their settings are no Helm values, so they have no place among those. */
function addon<Name extends AddonName>(
  name: Name,
  { specKey, container, deployment = specKey, after }: AddonSketch,
): AddonDefinition<Name> {
  return {
    name,
    specRoot: 'addonComponents',
    specKey,
    entries: 'one',
    onByDefault: false,
    folder: 'addons',
    chart: specKey,
    valuesRoot: [],
    workload: { kind: 'Deployment', name: deployment, container },
    after,
  };
}
