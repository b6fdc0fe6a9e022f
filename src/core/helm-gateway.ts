/** Values of Istio's `gateway` chart, read off the objects of a gateway. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonArray, isJsonObject, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';

type Kind = 'Deployment' | 'Service' | 'HorizontalPodAutoscaler' | 'PodDisruptionBudget';

interface Reading {
  readonly kind: Kind;
  readonly from: readonly (string | number)[];
  readonly to: readonly [string, ...string[]];
}

const POD = ['spec', 'template', 'spec'] as const;

/** What is the same in both, by where it stands in an object and in the values. */
const READINGS: readonly Reading[] = [
  { kind: 'Deployment', from: ['metadata', 'name'], to: ['name'] },
  // The selector decides which Gateway resources are served: it has to stay.
  { kind: 'Service', from: ['spec', 'selector'], to: ['labels'] },
  ...['type', 'ports', 'clusterIP', 'loadBalancerIP', 'loadBalancerSourceRanges', 'loadBalancerClass'].map(
    serviceField,
  ),
  ...['externalTrafficPolicy', 'internalTrafficPolicy', 'externalIPs', 'ipFamilyPolicy', 'ipFamilies'].map(
    serviceField,
  ),
  { kind: 'Service', from: ['metadata', 'annotations'], to: ['service', 'annotations'] },
  { kind: 'Deployment', from: [...POD, 'containers', 0, 'resources'], to: ['resources'] },
  // Part of the identity that other workloads see.
  { kind: 'Deployment', from: [...POD, 'serviceAccountName'], to: ['serviceAccount', 'name'] },
  { kind: 'Deployment', from: ['spec', 'replicas'], to: ['replicaCount'] },
  { kind: 'Deployment', from: ['spec', 'strategy'], to: ['strategy'] },
  ...['nodeSelector', 'affinity', 'tolerations', 'topologySpreadConstraints'].map(podField),
  ...['priorityClassName', 'terminationGracePeriodSeconds', 'imagePullSecrets'].map(podField),
  { kind: 'HorizontalPodAutoscaler', from: ['spec', 'minReplicas'], to: ['autoscaling', 'minReplicas'] },
  { kind: 'HorizontalPodAutoscaler', from: ['spec', 'maxReplicas'], to: ['autoscaling', 'maxReplicas'] },
  {
    kind: 'HorizontalPodAutoscaler',
    from: ['spec', 'metrics', 0, 'resource', 'target', 'averageUtilization'],
    to: ['autoscaling', 'targetCPUUtilizationPercentage'],
  },
  {
    kind: 'PodDisruptionBudget',
    from: ['spec', 'minAvailable'],
    to: ['podDisruptionBudget', 'minAvailable'],
  },
];

function serviceField(field: string): Reading {
  return { kind: 'Service', from: ['spec', field], to: ['service', field] };
}

function podField(field: string): Reading {
  return { kind: 'Deployment', from: [...POD, field], to: [field] };
}

/** The values that make the chart's gateway serve as this one does. */
export function gatewayChartValues(objects: readonly K8sObject[], revision: string): JsonObject {
  const isScaled = objects.some(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const start: JsonObject = {
    autoscaling: { enabled: isScaled },
    ...(revision === '' ? {} : { revision }),
  };
  return READINGS.reduce((values, { kind, from, to }) => {
    const object = objects.find((each) => each.kind === kind);
    const value = at(object, ...from);
    return value === undefined || isEmpty(value) ? values : withValue(values, to, value);
  }, start);
}

function withValue(
  values: JsonObject,
  [first, ...rest]: readonly [string, ...string[]],
  value: JsonValue,
): JsonObject {
  const [next, ...further] = rest;
  const inner = next === undefined ? value : withValue(mapAt(values, first), [next, ...further], value);
  return { ...values, [first]: inner };
}

function isEmpty(value: JsonValue): boolean {
  if (isJsonArray(value)) return value.length === 0;
  if (isJsonObject(value)) return Object.keys(value).length === 0;
  return value === null || value === '';
}
