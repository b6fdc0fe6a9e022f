/** The operator's own installation, with what people may set about it. Pure. */
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonObject, listAt, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { namespaceOf } from '../model/object.ts';
import type { OperatorAssets } from './operator-revision.ts';
import { objectsOfRevision } from './operator-revision.ts';

/** Where deploy/ puts the operator. */
export const OPERATOR_NAMESPACE = 'istio-operator';

export interface OperatorChoices {
  /** The whole reference; hub and tag are parts of it. */
  readonly image?: string;
  readonly hub?: string;
  readonly tag?: string;
  readonly operatorNamespace?: string;
  /** The only revision that is served, `default` for the one without a name; all when absent or empty. */
  readonly revision?: string;
  /** Namespaces whose IstioOperators are handled; all when empty. */
  readonly watchedNamespaces: readonly string[];
  readonly imagePullSecrets: readonly string[];
}

type Change = (object: K8sObject) => K8sObject;

/** The objects of deploy/ changed as chosen, in their order; namespaces that are to be watched come first. */
export function operatorObjects(assets: OperatorAssets, choices: OperatorChoices): readonly K8sObject[] {
  const { operatorNamespace = OPERATOR_NAMESPACE, watchedNamespaces, imagePullSecrets } = choices;
  const changes: readonly Change[] = [
    (object) => inNamespace(object, operatorNamespace),
    (object) => withContainers(object, (container) => withImage(container, choices)),
    (object) => withContainers(object, (container) => watching(container, watchedNamespaces)),
    (object) => withContainers(object, (container) => serving(container, choices.revision)),
    (object) => withPullSecrets(object, imagePullSecrets),
  ];
  const changed = objectsOfRevision(assets, choices.revision).map((object) =>
    changes.reduce((result, change) => change(result), object),
  );
  return withoutDoubles([
    ...changed.filter(isNamespace),
    ...watchedNamespaces.map(bareNamespace),
    ...changed,
  ]);
}

/** The operator's objects name its namespace in four places; its roles name none. */
function inNamespace(object: K8sObject, namespace: string): K8sObject {
  if (isNamespace(object) && object.metadata.name === OPERATOR_NAMESPACE) {
    return { ...object, metadata: { ...object.metadata, name: namespace } };
  }
  const metadata =
    namespaceOf(object) === OPERATOR_NAMESPACE ? { ...object.metadata, namespace } : object.metadata;
  if (!Object.hasOwn(object, 'subjects')) return { ...object, metadata };
  const subjects = listAt(object, 'subjects').map((subject) =>
    isJsonObject(subject) && subject['namespace'] === OPERATOR_NAMESPACE
      ? { ...subject, namespace }
      : subject,
  );
  return { ...object, metadata, subjects };
}

function withContainers(object: K8sObject, change: (container: JsonObject) => JsonObject): K8sObject {
  if (object.kind !== 'Deployment') return object;
  const spec = mapAt(object, 'spec');
  const template = mapAt(spec, 'template');
  const pod = mapAt(template, 'spec');
  const containers = listAt(pod, 'containers').filter(isJsonObject).map(change);
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...pod, containers } } } };
}

function withImage(container: JsonObject, { image, hub, tag }: OperatorChoices): JsonObject {
  if (image !== undefined) return { ...container, image };
  const [, name = '', released = ''] =
    /^(?:.*\/)?([^/:]+):([^/:]+)$/u.exec(stringAt(container, 'image') ?? '') ?? [];
  const place = hub === undefined ? name : `${hub}/${name}`;
  return { ...container, image: `${place}:${tag ?? released}` };
}

function watching(container: JsonObject, namespaces: readonly string[]): JsonObject {
  const env = listAt(container, 'env').map((variable): JsonValue =>
    stringAt(variable, 'name') === 'WATCH_NAMESPACE'
      ? { name: 'WATCH_NAMESPACE', value: namespaces.join(',') }
      : variable,
  );
  return { ...container, env };
}

/** Behind the namespaces, the other thing that narrows what is served. */
function serving(container: JsonObject, revision = ''): JsonObject {
  if (revision === '') return container;
  const env = listAt(container, 'env').flatMap((variable): readonly JsonValue[] =>
    stringAt(variable, 'name') === 'WATCH_NAMESPACE'
      ? [variable, { name: 'REVISION', value: revision }]
      : [variable],
  );
  return { ...container, env };
}

function withPullSecrets(object: K8sObject, names: readonly string[]): K8sObject {
  if (object.kind !== 'ServiceAccount' || names.length === 0) return object;
  return { ...object, imagePullSecrets: names.map((name) => ({ name })) };
}

function bareNamespace(name: string): K8sObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function isNamespace({ apiVersion, kind }: K8sObject): boolean {
  return apiVersion === 'v1' && kind === 'Namespace';
}

/**
 * One Namespace of each name. That of the control plane wins over the operator's, whose pods may do less than
 * gateways have to; both win over the bare ones that are only watched.
 */
function withoutDoubles(objects: readonly K8sObject[]): readonly K8sObject[] {
  const namespaces = objects.filter(isNamespace);
  const preferred = new Map(
    namespaces
      .toSorted((left, right) => rank(left) - rank(right))
      .map((object) => [object.metadata.name, object] as const),
  );
  return [...preferred.values(), ...objects.filter((object) => !isNamespace(object))];
}

function rank(object: K8sObject): number {
  if (mapAt(object, 'metadata', 'annotations')['argocd.argoproj.io/sync-options'] !== undefined) return 2;
  return Object.keys(mapAt(object, 'metadata', 'labels')).length > 0 ? 1 : 0;
}
