/** `k8s` settings that count as values: what is derived from a value, a disruption budget say, then follows them too. */
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at } from '../../model/json.ts';
import type { ComponentDefinition, Workload } from '../components.ts';
import { overlay } from '../merge.ts';
import type { Feature, Release } from '../releases.ts';
import { nested } from './translate.ts';

interface SettingAsValue {
  readonly feature: Feature;
  /** Kinds of workloads that it is about. */
  readonly kinds: readonly Workload['kind'][];
  /** Under `k8s`. */
  readonly from: readonly string[];
  /** Under the component's own values. */
  readonly to: readonly string[];
}

const SETTINGS: readonly SettingAsValue[] = [
  {
    feature: 'replicasAsValues',
    kinds: ['Deployment'],
    from: ['hpaSpec', 'minReplicas'],
    to: ['autoscaleMin'],
  },
  {
    feature: 'replicasAsValues',
    kinds: ['Deployment'],
    from: ['hpaSpec', 'maxReplicas'],
    to: ['autoscaleMax'],
  },
  { feature: 'replicasAsValues', kinds: ['Deployment'], from: ['replicaCount'], to: ['replicaCount'] },
  ...['limits', 'requests'].map((section): SettingAsValue => {
    const path = ['resources', section, 'cpu'];
    return { feature: 'cpuAsValues', kinds: ['Deployment', 'DaemonSet'], from: path, to: path };
  }),
];

export interface ComponentSettings {
  readonly definition: ComponentDefinition;
  /** The entry under `spec.components`. */
  readonly settings: JsonObject;
  readonly release: Release;
}

/** The values with the settings that the release takes for values. */
export function withSettingsAsValues(
  values: JsonObject,
  { definition, settings, release }: ComponentSettings,
): JsonObject {
  const [first, ...rest] = definition.valuesRoot;
  const kind = definition.workload?.kind;
  if (first === undefined || kind === undefined) return values;
  const applicable = SETTINGS.filter(
    ({ feature, kinds }) => release.features.has(feature) && kinds.includes(kind),
  );
  return applicable.reduce((current, { from, to }) => {
    const setting: JsonValue = at(settings, 'k8s', ...from) ?? null;
    return setting === null ? current : overlay(current, nested([first, ...rest, ...to], setting));
  }, values);
}
