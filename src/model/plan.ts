/** The result of planning: what a resource means, as objects in the order in which they are to be applied. */
import type { Diagnostic } from './diagnostic.ts';
import type { JsonObject } from './json.ts';
import type { K8sObject } from './object.ts';

/** Names of components as they stand in `status.componentStatus` and in the label `operator.istio.io/component`. */
export type ComponentName =
  | 'Base'
  | 'Pilot'
  | 'Cni'
  | 'Ztunnel'
  | 'IngressGateways'
  | 'EgressGateways'
  | 'Prometheus'
  | 'Grafana'
  | 'Kiali'
  | 'Tracing'
  | 'Loki';

/** The IstioOperator that a plan is made for; it becomes the owner labels of every object. */
export interface Owner {
  readonly name: string;
  readonly namespace: string;
}

/** What planning may know about the cluster; gathered beforehand, as plain data. */
export interface ClusterFacts {
  /** As the API server reports it, such as `v1.34.4` or `v1.33.5-gke.1200`. */
  readonly kubernetesVersion: string;
  /**
   * Kinds that not every cluster serves, each as `monitoring.coreos.com/v1/ServiceMonitor`; only those that planning
   * asks about need to be among them. Absent when nobody knows: then whatever is asked for is planned.
   */
  readonly servedKinds?: readonly string[];
}

export interface PlannedComponent {
  readonly component: ComponentName;
  /** Components that must be ready before this one is applied. */
  readonly after: readonly ComponentName[];
  /** In apply order: definitions, accounts and roles, configuration, workloads, services, webhooks. */
  readonly objects: readonly K8sObject[];
}

export interface Plan {
  readonly profile: string;
  /** The Istio revision; empty for the default one. */
  readonly revision: string;
  /** The Istio version that is installed, from the tag, such as `1.30.3`. */
  readonly version: string;
  /** The release line that the objects are rendered for, such as `1.30`. */
  readonly releaseLine: string;
  /** The control plane's namespace. */
  readonly namespace: string;
  /** Labels that the namespace gets when it has to be created. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Only components that render something, in dependency order. */
  readonly components: readonly PlannedComponent[];
  /** Every image that pods of this installation run, also those that are injected; sorted, each once. */
  readonly images: readonly string[];
  /** Kinds that were asked for and that the cluster does not serve, such as `ServiceMonitor`; left out of `components`. */
  readonly missingKinds: readonly string[];
  /** The merged specification, for `profile dump` and for explaining. */
  readonly spec: JsonObject;
  /** What the user gave, files and flags in one, without profiles. Planned again it comes to the same. */
  readonly userSpec: JsonObject;
  readonly warnings: readonly Diagnostic[];
}

export type PlanResult =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | {
      readonly kind: 'invalid';
      readonly diagnostics: readonly Diagnostic[];
      /** Set when the only fault is that this operator does not know this release line (any more). */
      readonly unsupportedLine?: string;
    };

/** All objects of a plan, in apply order. */
export function objectsOf(plan: Plan): readonly K8sObject[] {
  return plan.components.flatMap((component) => component.objects);
}
