/** The objects of a revision tag, made from what the cluster has of the revision that it points to. Pure. */
import { authorityOf, DEFAULT_REVISION, revisionOfInjector } from '../core/objects/injectors.ts';
import { injectionWebhooks } from '../core/values/pilot/injection-webhooks.ts';
import type { JsonObject } from '../model/json.ts';
import { at, listAt, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { annotationsOf, labelsOf, namespaceOf } from '../model/object.ts';

export interface TagRequest {
  readonly tag: string;
  /** The webhook of the revision itself, as it is in the cluster. */
  readonly canonical: K8sObject;
  /** The Service of its istiod; absent where that is reached by a URL. */
  readonly service: K8sObject | undefined;
  /** `istio-revision-tag-TAG` unless given. */
  readonly webhookName?: string;
  /** Whether the tag `default` also serves pods that ask for nothing. */
  readonly autoInjectNamespaces: boolean;
}

export interface TagObjects {
  readonly injector: K8sObject;
  /** What goes with it: the Service of the tag, and for `default` the webhook that checks configuration. */
  readonly companions: readonly K8sObject[];
}

const USUAL_NAMESPACE = 'istio-system';

/** The webhook configuration, the Service and, for the tag `default`, the validator, as upstream makes them. */
export function tagObjects(request: TagRequest): TagObjects {
  const { tag, canonical, service } = request;
  return {
    injector: injectorOf(request),
    companions: [
      ...(service === undefined ? [] : [serviceOf(tag, service)]),
      ...(tag === DEFAULT_REVISION ? [validatorOf(canonical)] : []),
    ],
  };
}

/** The namespace of the istiod that a webhook calls; `istio-system` where a URL does not tell. */
export function namespaceOfIstiod(injector: K8sObject): string {
  return stringAt(injector, 'webhooks', 0, 'clientConfig', 'service', 'namespace') ?? USUAL_NAMESPACE;
}

/** The name that a tag's webhook configuration has unless its user chose another one. */
function webhookNameOf(tag: string, canonical: K8sObject): string {
  const namespace = namespaceOfIstiod(canonical);
  return `istio-revision-tag-${tag}${namespace === USUAL_NAMESPACE ? '' : `-${namespace}`}`;
}

/** Everything beside the webhook configuration that a tag may have, by name. */
export function companionRefs(tag: string, namespace: string): readonly ObjectRef[] {
  const service: ObjectRef = {
    apiVersion: 'v1',
    kind: 'Service',
    namespace,
    name: `istiod-revision-tag-${tag}`,
  };
  const validator = { ...VALIDATORS, name: DEFAULT_VALIDATOR };
  return tag === DEFAULT_REVISION ? [service, validator] : [service];
}

const VALIDATORS = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
} as const;

const DEFAULT_VALIDATOR = 'istiod-default-validator';

function injectorOf({ tag, canonical, webhookName, autoInjectNamespaces }: TagRequest): K8sObject {
  const own = at(canonical, 'webhooks', 0);
  const common: JsonObject = {
    clientConfig: mapAt(own, 'clientConfig'),
    sideEffects: 'None',
    rules: listAt(own, 'rules'),
    failurePolicy: stringAt(own, 'failurePolicy') ?? 'Fail',
    reinvocationPolicy: stringAt(own, 'reinvocationPolicy') ?? 'Never',
    admissionReviewVersions: ['v1'],
  };
  const scope = {
    revision: tag,
    isDefault: tag === DEFAULT_REVISION,
    everywhere: autoInjectNamespaces,
  };
  return {
    apiVersion: canonical.apiVersion,
    kind: canonical.kind,
    metadata: {
      name: webhookName ?? webhookNameOf(tag, canonical),
      labels: { ...inherited(canonical), ...tagLabels(tag, canonical) },
      annotations: annotationsOf(canonical),
    },
    webhooks: injectionWebhooks(scope).map((webhook) => ({ ...common, ...webhook })),
  };
}

function tagLabels(tag: string, canonical: K8sObject): JsonObject {
  return { 'istio.io/tag': tag, 'istio.io/rev': revisionOfInjector(canonical) };
}

/** Labels that say who keeps an object: a tag that was made by command is kept by nobody. */
const KEEPER_LABELS = /^(install\.)?operator\.istio\.io\//u;

function inherited(object: K8sObject): JsonObject {
  return Object.fromEntries(Object.entries(labelsOf(object)).filter(([label]) => !KEEPER_LABELS.test(label)));
}

const SERVICE_FIELDS = ['ports', 'selector', 'type', 'ipFamilyPolicy'] as const;

function serviceOf(tag: string, service: K8sObject): K8sObject {
  const fields = SERVICE_FIELDS.flatMap((field) => {
    const value = at(service, 'spec', field);
    return value === undefined ? [] : [[field, value] as const];
  });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `istiod-revision-tag-${tag}`,
      namespace: namespaceOf(service) ?? USUAL_NAMESPACE,
      labels: { ...inherited(service), 'istio.io/tag': tag },
    },
    spec: Object.fromEntries(fields),
  };
}

const CHECKED_GROUPS = [
  'security.istio.io',
  'networking.istio.io',
  'telemetry.istio.io',
  'extensions.istio.io',
];

/** Checks configuration that names no revision; everything else is checked by the validator of its revision. */
function validatorOf(canonical: K8sObject): K8sObject {
  const caBundle = authorityOf(canonical);
  return {
    ...VALIDATORS,
    metadata: {
      name: DEFAULT_VALIDATOR,
      labels: {
        app: 'istiod',
        istio: 'istiod',
        'app.kubernetes.io/name': 'istiod',
        ...tagLabels(DEFAULT_REVISION, canonical),
      },
    },
    webhooks: [
      {
        name: 'validation.istio.io',
        clientConfig: { ...endpointOf(canonical), ...(caBundle === undefined ? {} : { caBundle }) },
        rules: [
          {
            operations: ['CREATE', 'UPDATE'],
            apiGroups: CHECKED_GROUPS,
            apiVersions: ['*'],
            resources: ['*'],
          },
        ],
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        objectSelector: { matchExpressions: [{ key: 'istio.io/rev', operator: 'DoesNotExist' }] },
      },
    ],
  };
}

function endpointOf(canonical: K8sObject): JsonObject {
  const url = stringAt(canonical, 'webhooks', 0, 'clientConfig', 'url');
  if (url !== undefined) return { url: new URL('/validate', url).href };
  const { name = '', namespace = '' } = mapAt(canonical, 'webhooks', 0, 'clientConfig', 'service');
  return { service: { name, namespace, path: '/validate' } };
}
