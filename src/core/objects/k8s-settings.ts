/** `components.<component>.k8s`: what users change in rendered objects without writing overlays. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, stringAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import type { Workload } from '../components.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { truthy } from '../go-values.ts';
import { strategicMerge } from './strategic-merge.ts';

export interface SettingsTarget {
  /** The workload with its name in this installation. */
  readonly workload: Workload;
  readonly isGateway: boolean;
  /** Where the settings stand, such as `spec.components.pilot.k8s`. */
  readonly path: FieldPath;
}

type PatchedKind = 'workload' | 'Service' | 'HorizontalPodAutoscaler' | 'PodDisruptionBudget';

interface Setting {
  readonly field: string;
  readonly kind: PatchedKind;
  /** The patch of the whole object. */
  readonly patch: (value: JsonValue, target: SettingsTarget) => JsonObject;
}

const podSpec = (spec: JsonObject): JsonObject => ({ spec: { template: { spec } } });

/** Null is a setting left empty, not the wish for an object without a specification. */
function specPatch(spec: JsonValue): JsonObject {
  return spec === null ? {} : { spec };
}

function podField(field: string): Setting {
  return { field, kind: 'workload', patch: (value) => podSpec({ [field]: value }) };
}

function containerField(field: string, meant: (value: JsonValue) => JsonValue = asGiven): Setting {
  return {
    field,
    kind: 'workload',
    patch: (value, { workload }) =>
      podSpec({ containers: [{ name: workload.container, [field]: meant(value) }] }),
  };
}

function asGiven(value: JsonValue): JsonValue {
  return value;
}

const HANDLERS = ['exec', 'grpc', 'httpGet', 'tcpSocket'];

/** A probe has one handler: the one that a user gives takes the place of the rendered one. */
function oneHandler(probe: JsonValue): JsonValue {
  if (!isJsonObject(probe) || !HANDLERS.some((handler) => truthy(probe[handler]))) return probe;
  return { ...Object.fromEntries(HANDLERS.map((handler) => [handler, null])), ...probe };
}

/** Limits of a rolling update are refused beside any other way of updating. */
function oneStrategy(strategy: JsonValue): JsonValue {
  const type = stringAt(strategy, 'type') ?? 'RollingUpdate';
  return isJsonObject(strategy) && type !== 'RollingUpdate' ? { rollingUpdate: null, ...strategy } : strategy;
}

/** In the order of upstream's documentation; they do not overlap. */
const SETTINGS: readonly Setting[] = [
  podField('affinity'),
  containerField('env'),
  { field: 'hpaSpec', kind: 'HorizontalPodAutoscaler', patch: specPatch },
  containerField('imagePullPolicy'),
  podField('nodeSelector'),
  { field: 'podDisruptionBudget', kind: 'PodDisruptionBudget', patch: specPatch },
  {
    field: 'podAnnotations',
    kind: 'workload',
    patch: (annotations) => ({ spec: { template: { metadata: { annotations } } } }),
  },
  podField('priorityClassName'),
  containerField('readinessProbe', oneHandler),
  { field: 'replicaCount', kind: 'workload', patch: (replicas) => ({ spec: { replicas } }) },
  containerField('resources'),
  {
    field: 'strategy',
    kind: 'workload',
    patch: (strategy, { workload }) => ({
      spec: { [workload.kind === 'DaemonSet' ? 'updateStrategy' : 'strategy']: oneStrategy(strategy) },
    }),
  },
  podField('tolerations'),
  { field: 'serviceAnnotations', kind: 'Service', patch: (annotations) => ({ metadata: { annotations } }) },
  { field: 'service', kind: 'Service', patch: (spec, target) => specPatch(servicePatch(spec, target)) },
  podField('securityContext'),
];

/** The ports of a gateway's Service are values: they shape its containers too, and are in place already. */
function servicePatch(spec: JsonValue, target: SettingsTarget): JsonValue {
  if (!target.isGateway || !isJsonObject(spec)) return spec;
  return Object.fromEntries(Object.entries(spec).filter(([field]) => field !== 'ports'));
}

/** Settings of the API that upstream accepts and never reads; people find out by their absence. */
const UNREAD = ['volumes', 'volumeMounts'];

export interface SettingsResult {
  readonly objects: readonly K8sObject[];
  readonly warnings: readonly Diagnostic[];
}

/** Applies all settings. A setting whose object is not rendered is left out, and told. */
export function applyK8sSettings(
  objects: readonly K8sObject[],
  settings: JsonObject,
  target: SettingsTarget,
): SettingsResult {
  return SETTINGS.reduce<SettingsResult>(
    (result, setting) => applySetting(result, setting, settings[setting.field], target),
    {
      objects,
      warnings: UNREAD.filter((field) => settings[field] !== undefined).map((field) => unread(field, target)),
    },
  );
}

/** Warnings for a component without workload and Service, of which only overlays change anything. */
export function ignoredSettings(settings: JsonObject, path: FieldPath): readonly Diagnostic[] {
  const fields = [...SETTINGS.map(({ field }) => field), ...UNREAD];
  return fields
    .filter((field) => (settings[field] ?? null) !== null)
    .map((field) =>
      diagnose('ignoredSetting', {
        path: [...path, field],
        cause: 'this component has no workload',
        remedy: 'Remove the field, or use overlays.',
      }),
    );
}

function applySetting(
  result: SettingsResult,
  setting: Setting,
  value: JsonValue | undefined,
  target: SettingsTarget,
): SettingsResult {
  if (value === undefined) return result;
  if (setting.field === 'replicaCount' && target.workload.kind === 'DaemonSet') {
    return { ...result, warnings: [...result.warnings, replicasOfDaemonSet(target)] };
  }
  const kind = setting.kind === 'workload' ? target.workload.kind : setting.kind;
  const isTarget = (object: K8sObject): boolean =>
    object.kind === kind && object.metadata.name === target.workload.name;
  if (!result.objects.some(isTarget)) {
    return { ...result, warnings: [...result.warnings, withoutTarget(setting, kind, target)] };
  }
  const objects = result.objects.map((object) =>
    isTarget(object) ? patched(object, setting, value, target) : object,
  );
  return { ...result, objects };
}

function patched(object: K8sObject, setting: Setting, value: JsonValue, target: SettingsTarget): K8sObject {
  // A patch of spec or metadata keeps apiVersion, kind and name.
  const merged = strategicMerge(object, setting.patch(value, target)) as K8sObject;
  return setting.kind === 'PodDisruptionBudget' ? withOneLimit(merged) : merged;
}

/** A budget may have one limit only; the one that a user adds to the default is maxUnavailable. */
function withOneLimit(object: K8sObject): K8sObject {
  const both = ['minAvailable', 'maxUnavailable'].every((field) => truthy(at(object, 'spec', field)));
  return both ? (strategicMerge(object, { spec: { minAvailable: null } }) as K8sObject) : object;
}

function unread(field: string, target: SettingsTarget): Diagnostic {
  return diagnose('ignoredSetting', {
    path: [...target.path, field],
    cause: `${field} has no effect, as in every release of Istio`,
    remedy: 'Use values of the component (volumes, secretVolumes, configVolumes) or an overlay.',
  });
}

function replicasOfDaemonSet(target: SettingsTarget): Diagnostic {
  return diagnose('ignoredSetting', {
    path: [...target.path, 'replicaCount'],
    cause: `${target.workload.name} is a DaemonSet: it runs on every node that its pods tolerate`,
    remedy: 'Remove the field; use nodeSelector or affinity to choose nodes.',
  });
}

function withoutTarget(setting: Setting, kind: string, target: SettingsTarget): Diagnostic {
  return diagnose('ignoredSetting', {
    path: [...target.path, setting.field],
    cause: `no ${kind} ${target.workload.name} is rendered`,
    remedy: REMEDIES[setting.kind],
  });
}

const REMEDIES: Readonly<Record<PatchedKind, string>> = {
  workload: 'Remove the field, or give the workload the name that it looks for.',
  Service: 'Remove the field: this component has no such Service.',
  HorizontalPodAutoscaler: 'Switch autoscaling on in the values of the component, or remove the field.',
  PodDisruptionBudget: 'Give the component more than one replica by its values, or remove the field.',
};
