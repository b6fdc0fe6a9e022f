/** The base component: Istio's definitions, and what the revisions of a mesh share. */
import type { JsonObject } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { textOf } from '../go-values.ts';
import { RELEASE_NAME, standardLabels, withRevision } from './labels.ts';
import type { ComponentInput, Manifest } from './manifest.ts';
import type { ValuesReader } from './reader.ts';
import { pullSecrets, readValues } from './reader.ts';
import { isReadable } from './reader-rights.ts';
import { configValidator, stableChannelPolicy } from './validation.ts';

/** All objects of the base component but the definitions. */
export function baseManifests(input: ComponentInput): readonly Manifest[] {
  const v = readValues(input.values);
  const scope = v.text('global', 'resourceScope');
  const { features } = input.release;
  const bringsAccount = features.has('readerAccount') && v.is('global', 'readerServiceAccount', 'name');
  const needsAccount = isReadable(v, input.release) && !bringsAccount;
  return [
    ...((scope === 'all' || scope === 'namespace') && needsAccount ? [readerAccount(input, v)] : []),
    ...(scope === 'all' || scope === 'cluster' ? defaultRevisionManifests(input, v) : []),
  ];
}

function readerAccount(input: ComponentInput, v: ValuesReader): Manifest {
  return {
    template: 'shared/service-account',
    view: {
      name: 'istio-reader-service-account',
      namespace: v.text('global', 'istioNamespace'),
      labels: {
        app: 'istio-reader',
        release: RELEASE_NAME,
        'app.kubernetes.io/name': 'istio-reader',
        ...standardLabels(input.release),
      },
      annotations: null,
      imagePullSecrets: pullSecrets(v.list('global', 'imagePullSecrets')),
    },
  };
}

/** What checks configuration that names no revision. */
function defaultRevisionManifests(input: ComponentInput, v: ValuesReader): readonly Manifest[] {
  const revision = v.text('defaultRevision');
  if (revision === '') return [];
  const labels = {
    release: RELEASE_NAME,
    istio: 'istiod',
    'istio.io/rev': revision,
    'app.kubernetes.io/name': 'istiod',
    ...standardLabels(input.release),
  };
  const validator = configValidator(v, {
    name: 'istiod-default-validator',
    webhook: 'validation.istio.io',
    labels: { app: 'istiod', ...labels },
    service: {
      name: withRevision('istiod', revision === 'default' ? '' : revision),
      namespace: v.text('global', 'istioNamespace'),
    },
    revision: null,
  });
  if (!v.is('experimental', 'stableValidationPolicy')) return [validator];
  const policy = stableChannelPolicy({
    name: 'stable-channel-default-policy.istio.io',
    bindingName: 'stable-channel-default-policy-binding.istio.io',
    labels,
    revision: null,
    release: input.release,
  });
  return [validator, ...policy];
}

/** Labels that Istio's definitions have outside the templates; some tools still look for them. */
function plainLabels(definition: K8sObject): JsonObject {
  const group = definition.metadata.name.split('.').slice(1).join('.');
  const area = { 'security.istio.io': { istio: 'security' }, 'telemetry.istio.io': { istio: 'telemetry' } };
  const extra = group === 'security.istio.io' || group === 'telemetry.istio.io' ? area[group] : {};
  return { app: 'istio-pilot', chart: 'istio', heritage: 'Tiller', release: RELEASE_NAME, ...extra };
}

/** Istio's definitions with the labels and the selection that the values ask for. Their schemas are not touched. */
export function definitions(input: ComponentInput, crds: readonly K8sObject[]): readonly K8sObject[] {
  const v = readValues(input.values);
  const scope = v.text('global', 'resourceScope');
  if (scope !== 'all' && scope !== 'cluster') return [];
  const templated = v.is('base', 'enableCRDTemplates');
  const excluded = new Set(templated ? v.list('base', 'excludedCRDs').map(textOf) : []);
  return crds
    .filter((definition) => !excluded.has(definition.metadata.name))
    .map((definition) => {
      const labels = templated ? standardLabels(input.release) : plainLabels(definition);
      return { ...definition, metadata: { ...definition.metadata, labels } };
    });
}
