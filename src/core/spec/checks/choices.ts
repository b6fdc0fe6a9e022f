/** Rules about settings that contradict each other, or that nothing reads where they stand. */
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { at, mapAt } from '../../../model/json.ts';
import { diagnose } from '../../diagnostics.ts';
import type { FieldPath } from '../../field-path.ts';
import { textOf, truthy } from '../../go-values.ts';
import type { Check } from './check.ts';
import { CONTROL_PLANE_NAMESPACE } from './check.ts';
import { GATEWAYS, gatewaysOf } from './entries.ts';

/** Kubernetes once could sign istiod's certificate. */
export const certificateProvider: Check = (spec) => {
  const given = ['values', 'unvalidatedValues'].filter(
    (root) => at(spec, root, 'global', 'pilotCertProvider') === 'kubernetes',
  );
  return given.map((root) =>
    diagnose('unsupportedValue', {
      path: ['spec', root, 'global', 'pilotCertProvider'],
      cause: 'Kubernetes no longer signs certificates for istiod',
      remedy: 'Use istiod (the default), or custom with your own signer.',
    }),
  );
};

/** Warnings: a fixed count and an autoscaler both want to decide. */
export const replicaConflicts: Check = (spec) => {
  const pilot: readonly ReplicaChoice[] = [
    {
      settings: mapAt(spec, 'components', 'pilot', 'k8s'),
      root: ['pilot'],
      path: ['spec', 'components', 'pilot', 'k8s'],
    },
  ];
  const gateways = gatewaysOf(spec).map(({ gateway, path, valuesKey }) => ({
    settings: mapAt(gateway, 'k8s'),
    root: ['gateways', valuesKey],
    path: [...path, 'k8s'],
  }));
  return [...pilot, ...gateways].flatMap((choice) => replicaConflict(spec, choice));
};

interface ReplicaChoice {
  readonly settings: JsonObject;
  readonly root: readonly string[];
  readonly path: FieldPath;
}

function replicaConflict(spec: JsonObject, { settings, root, path }: ReplicaChoice): readonly Diagnostic[] {
  const replicas: JsonValue = settings['replicaCount'] ?? null;
  if (replicas === null || at(spec, 'values', ...root, 'autoscaleEnabled') !== true) return [];
  const cause = `the autoscaler will change the count of ${textOf(replicas)} again`;
  const remedy = `Set values.${root.join('.')}.autoscaleEnabled to false, or remove replicaCount.`;
  return [diagnose('conflictingReplicas', { path: [...path, 'replicaCount'], cause, remedy })];
}

interface UnreadField {
  /** Under `spec`. */
  readonly path: readonly string[];
  readonly cause: string;
  readonly remedy: string;
}

const UNREAD_FIELDS: readonly UnreadField[] = [
  ...GATEWAYS.map(({ specKey, valuesRoot }) => ({
    path: ['values', ...valuesRoot, 'labels'],
    cause: 'the labels of a gateway are not read here',
    remedy: `Set label of the entry under spec.components.${specKey}.`,
  })),
  {
    path: ['defaultRevision'],
    cause: 'the default revision is not read here',
    remedy: 'Set spec.values.defaultRevision instead.',
  },
];

/** Warnings: places that look right and that nothing reads. */
export const unreadFields: Check = (spec) =>
  UNREAD_FIELDS.filter(({ path }) => truthy(at(spec, ...path))).map(({ path, cause, remedy }) =>
    diagnose('ignoredSetting', { path: ['spec', ...path], cause, remedy }),
  );

/** Warning: the operator of before 1.24 took the control plane's namespace from here. */
export const formerNamespace: Check = (spec) => {
  const namespace = textOf(spec['namespace']);
  const controlPlane = textOf(at(spec, ...CONTROL_PLANE_NAMESPACE));
  if (namespace === '' || namespace === controlPlane) return [];
  const cause = `the control plane is installed in ${controlPlane}`;
  const remedy = 'Set spec.values.global.istioNamespace instead.';
  return [diagnose('ignoredSetting', { path: ['spec', 'namespace'], cause, remedy })];
};

/** Warning: only istiod's pods and configuration would move, its account and rights stay where the control plane is. */
export const splitControlPlane: Check = (spec) => {
  const path = ['components', 'pilot', 'namespace'];
  const namespace = textOf(at(spec, ...path));
  const controlPlane = textOf(at(spec, ...CONTROL_PLANE_NAMESPACE));
  if (namespace === '' || namespace === controlPlane) return [];
  return [
    diagnose('splitControlPlane', {
      path: ['spec', ...path],
      cause: `istiod cannot start in ${namespace}: its account is in ${controlPlane}`,
      remedy: `Remove it, and set spec.values.global.istioNamespace to ${namespace} to move the control plane.`,
    }),
  ];
};
