/** How people name one object on the command line: `deployment/istiod`, `svc/istio-system/istiod`. */
import { nearest } from '../core/nearest.ts';
import type { K8sObject, ObjectRef } from '../model/object.ts';
import { displayRef, groupOf, namespaceOf, refOf } from '../model/object.ts';
import { failure } from './command-error.ts';

/** kubectl's short names of the kinds that an installation is made of. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  cm: 'configmap',
  crd: 'customresourcedefinition',
  deploy: 'deployment',
  ds: 'daemonset',
  hpa: 'horizontalpodautoscaler',
  ns: 'namespace',
  pdb: 'poddisruptionbudget',
  sa: 'serviceaccount',
  svc: 'service',
};

/** As `kubectl -o name` prints it: `deployment.apps/istiod`. */
export function kubectlName({ apiVersion, kind, name }: ObjectRef): string {
  const group = groupOf(apiVersion);
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
}

/** The one object of that name. Throws a CommandError that names what is close when there is none, or several. */
export function objectNamed<T extends K8sObject>(
  objects: readonly T[],
  name: string,
  namespace: string | undefined,
): T {
  const found = objects.filter((object) => isNamed(object, name, namespace));
  const [object, second] = found;
  if (object === undefined) throw noSuchObject(objects, name);
  if (second === undefined) return object;
  const all = found.map((each) => shortName(each)).join(', ');
  throw failure('noSuchObject', `"${name}" names several objects`, `Name one of ${all}.`);
}

function isNamed(object: K8sObject, text: string, inNamespace: string | undefined): boolean {
  const [kind = '', ...rest] = text.split('/');
  const name = rest.at(-1);
  const namespace = rest.length > 1 ? rest[0] : inNamespace;
  return (
    object.metadata.name === name &&
    isKind(object.kind, kind) &&
    (namespace === undefined || namespace === (namespaceOf(object) ?? namespace))
  );
}

function isKind(kind: string, word: string): boolean {
  const own = kind.toLowerCase();
  return [own, `${own}s`].includes(fullKind(word));
}

function fullKind(word: string): string {
  return SHORT_NAMES[word.toLowerCase()] ?? word.toLowerCase();
}

/** `deployment/istio-system/istiod`: reading it again gives the same object. */
function shortName(object: K8sObject): string {
  return [object.kind.toLowerCase(), namespaceOf(object), object.metadata.name]
    .filter((part) => part !== undefined)
    .join('/');
}

function noSuchObject(objects: readonly K8sObject[], name: string): Error {
  const names = objects.map((object) => `${object.kind.toLowerCase()}/${object.metadata.name}`);
  const close = nearest(name.replace(/^[^/]+/u, fullKind), names);
  const workloads = objects.filter(({ kind }) => ['Deployment', 'DaemonSet'].includes(kind)).map(refOf);
  const remedy =
    close === undefined
      ? `Write it as deployment/istiod. Among others there are ${workloads.map(displayRef).join(', ')}.`
      : `Did you mean ${close}?`;
  return failure('noSuchObject', `the installation has no object ${name}`, remedy);
}
