/** The operators of this release that run in a cluster, and which IstioOperators each of them serves. */
import { at, isJsonObject, listAt, mapAt, stringAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import { failure } from './command-error.ts';
import type { CommandEnvironment, Connection } from './environment.ts';
import { OPERATOR_NAME } from './operator-revision.ts';

export interface Operator {
  /** Such as `Deployment istio-operator/istio-operator-canary`, for people. */
  readonly title: string;
  readonly namespace: string;
  /** The revision in its name; empty where there is none. */
  readonly revision: string;
  /** As its setting REVISION: empty for all, `default` for the one without a name. */
  readonly served: string;
  /** All namespaces when empty. */
  readonly watchedNamespaces: readonly string[];
  /** Whether it is not scaled to nothing. */
  readonly runs: boolean;
}

/** Every operator of a cluster that `init`, the chart or the kustomize base installed, whatever its namespace. */
export async function operatorsIn(
  { signal }: CommandEnvironment,
  { cluster }: Connection,
): Promise<readonly Operator[]> {
  const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
  const selection = { signal, labelSelector: 'app.kubernetes.io/part-of=istio' };
  return (await cluster.list(kind, selection)).flatMap(operatorOf);
}

/** One operator, or none when the object is something else. An operator of 1.23 has other labels. */
export function operatorOf(object: K8sObject): readonly Operator[] {
  const ref = refOf(object);
  const label = stringAt(object, 'metadata', 'labels', 'app.kubernetes.io/name');
  const isOperator = ref.name === OPERATOR_NAME || ref.name.startsWith(`${OPERATOR_NAME}-`);
  if (object.kind !== 'Deployment' || !isOperator || label !== ref.name) return [];
  const settings = settingsOf(object);
  return [
    {
      title: displayRef(ref),
      namespace: ref.namespace ?? '',
      revision: ref.name.slice(OPERATOR_NAME.length + 1),
      served: settings.get('REVISION') ?? '',
      watchedNamespaces: (settings.get('WATCH_NAMESPACE') ?? '').split(',').filter((name) => name !== ''),
      runs: at(object, 'spec', 'replicas') !== 0,
    },
  ];
}

function settingsOf(workload: K8sObject): ReadonlyMap<string, string> {
  const [container] = listAt(workload, 'spec', 'template', 'spec', 'containers');
  const variables = listAt(mapAt(container), 'env').filter(isJsonObject);
  return new Map(
    variables.map((variable) => [stringAt(variable, 'name') ?? '', stringAt(variable, 'value') ?? '']),
  );
}

/** Two Deployments of one name in one namespace are one. */
function isSameOperator(left: Operator, right: Operator): boolean {
  return left.title === right.title;
}

/** Whether there can be an IstioOperator that both serve. */
export function overlap(left: Operator, right: Operator): boolean {
  return (
    (left.served === '' || right.served === '' || left.served === right.served) &&
    (left.watchedNamespaces.length === 0 ||
      right.watchedNamespaces.length === 0 ||
      left.watchedNamespaces.some((namespace) => right.watchedNamespaces.includes(namespace)))
  );
}

/**
 * Throws a CommandError when an operator that runs would serve resources of the one that is to come: each would undo
 * what the other does, without end when they are of different versions.
 */
export async function refuseRivals(
  environment: CommandEnvironment,
  connection: Connection,
  objects: readonly K8sObject[],
): Promise<void> {
  const coming = objects.flatMap(operatorOf);
  const present = (await operatorsIn(environment, connection)).filter(
    (operator) => operator.runs && !coming.some((other) => isSameOperator(operator, other)),
  );
  const rival = present.find((operator) => coming.some((other) => overlap(operator, other)));
  if (rival === undefined) return;
  throw failure(
    'rivalOperators',
    `${rival.title} serves ${servedBy(rival)}, so two operators would write the same objects`,
    'Let each serve a revision of its own: init --revision default narrows that of all revisions to the one without a name. Or let them watch different namespaces.',
  );
}

function servedBy({ served, watchedNamespaces }: Operator): string {
  const revisions = served === '' ? 'IstioOperators of all revisions' : `the revision ${served}`;
  return watchedNamespaces.length === 0 ? revisions : `${revisions} in ${watchedNamespaces.join(', ')}`;
}
