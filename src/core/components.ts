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
  /** Key under `spec.components`. */
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
    after: ['Base', 'Pilot'],
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
    after: ['Base', 'Pilot'],
  },
] as const satisfies readonly ComponentDefinition[];
