/** The operator of one revision, which runs beside others: the same objects under names of its own. Pure. */
import type { K8sObject } from '../model/object.ts';

/** The name of the operator's objects; those of other revisions begin with it. */
export const OPERATOR_NAME = 'istio-operator';

/** Stands for the revision in `revisionRights`. */
const PLACEHOLDER = 'REVISION';

export interface OperatorAssets {
  readonly deployment: readonly K8sObject[];
  readonly revisionRights: readonly K8sObject[];
}

/** `istio-operator`, or `istio-operator-NAME` for a revision with a name. */
export function operatorNameOf(revision: string | undefined): string {
  return isNamed(revision) ? `${OPERATOR_NAME}-${revision}` : OPERATOR_NAME;
}

/** The default revision has no name in Istio, however it is spelt here. */
function isNamed(revision: string | undefined): revision is string {
  return revision !== undefined && revision !== '' && revision !== 'default';
}

/** Whether all operators of a cluster share an object: it is there once and bears no revision. */
export function isShared({ kind }: K8sObject): boolean {
  return SHARED_KINDS.has(kind);
}

const SHARED_KINDS: ReadonlySet<string> = new Set([
  'Namespace',
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]);

/**
 * The objects of deploy/, in an order in which they can be applied, under the names and with the rights of the operator of this revision. That of
 * the default revision has those of the operator of all revisions: it may not need them all, and takes its place.
 */
export function objectsOfRevision(
  { deployment, revisionRights }: OperatorAssets,
  revision: string | undefined,
): readonly K8sObject[] {
  if (!isNamed(revision)) return deployment;
  const name = operatorNameOf(revision);
  const others = deployment.filter((object) => !isRight(object));
  return [
    ...others.filter(isShared),
    ...revisionRights.map((object) => filledIn(object, revision)),
    ...others.filter((object) => !isShared(object)).map((object) => renamed(object, name)),
  ];
}

/**
 * Why no operator can have this revision; undefined when one can. `istio-operator-gateways` is a cluster role of the
 * operator of all revisions, so an operator of the revision `gateways`, or `a-gateways`, would write over another's.
 */
export function revisionObstacle(assets: OperatorAssets, revision: string): string | undefined {
  const endings = [
    ...endingsBehind(`${OPERATOR_NAME}-`, assets.deployment.filter(isRight)),
    ...endingsBehind(`${OPERATOR_NAME}-${PLACEHOLDER}-`, assets.revisionRights),
  ];
  const taken = endings.find((ending) => revision === ending || revision.endsWith(`-${ending}`));
  if (taken === undefined) return lengthObstacle(operatorNameOf(revision));
  return `${operatorNameOf(revision)} could be a role of another operator, because these end in "${taken}"`;
}

function endingsBehind(prefix: string, objects: readonly K8sObject[]): readonly string[] {
  const names = objects.map(({ metadata }) => metadata.name);
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

/** Kubernetes allows no more in a label and in the name of a Service. */
const MOST_LETTERS = 63;

function lengthObstacle(name: string): string | undefined {
  return name.length > MOST_LETTERS ? `${name} is longer than ${MOST_LETTERS} letters` : undefined;
}

function isRight({ apiVersion }: K8sObject): boolean {
  return apiVersion.startsWith('rbac.authorization.k8s.io/');
}

function filledIn(object: K8sObject, revision: string): K8sObject {
  const text = JSON.stringify(object).replaceAll(PLACEHOLDER, revision);
  return JSON.parse(text) as K8sObject; // the same object but for letters in its texts
}

/** Where the operator's own objects carry its name, and where they are chosen by it. Its namespace keeps its name. */
const NAMING_FIELDS: ReadonlySet<string> = new Set(['name', 'app.kubernetes.io/name', 'serviceAccountName']);

function renamed(object: K8sObject, name: string): K8sObject {
  const text = JSON.stringify(object, (key, value: unknown) =>
    NAMING_FIELDS.has(key) && value === OPERATOR_NAME ? name : value,
  );
  return JSON.parse(text) as K8sObject; // as above
}
