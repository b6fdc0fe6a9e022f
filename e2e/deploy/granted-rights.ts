/** RBAC objects taken apart into single rights of one account: a verb on a resource, given by a role in some places. */
import { listAt, stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { displayRef, namespaceOf, refOf } from '../../src/model/object.ts';
import type { Account } from '../faults/service-accounts.ts';

export interface Action {
  readonly group: string;
  /** With its subresource, such as `istiooperators/status`. */
  readonly resource: string;
  readonly verb: string;
}

/** One right, as small as it gets. */
export interface Grant extends Action {
  /** The role that holds it. */
  readonly role: string;
  /** Undefined for every object. */
  readonly name: string | undefined;
  /** Where the role is bound; `*` for the whole cluster. */
  readonly places: readonly Place[];
}

export interface Place {
  readonly namespace: string;
  readonly binding: string;
}

export const WHOLE_CLUSTER = '*';

/**
 * All rights that these objects give to an account. A role that is not bound to it gives rights in no place. Throws on
 * what can't be compared one by one: wildcards, and rules that are not about resources.
 */
export function grantsTo(account: Account, objects: readonly K8sObject[]): readonly Grant[] {
  return objects
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap((role) => grantsOf(role, placesOf(role, account, objects)));
}

/** For people and for comparisons: where, by which role, which verb on what. */
export function describeGrant({ role, verb, name, ...action }: Grant): string {
  return `${role}: ${verb} ${resourceOf(action)}${name === undefined ? '' : ` ${name}`}`;
}

export function resourceOf({ group, resource }: Pick<Action, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function grantsOf(role: K8sObject, places: readonly Place[]): readonly Grant[] {
  const single = listAt(role, 'rules').flatMap((rule) => actionsOf(rule));
  const grants = single.map((action): Grant => ({ role: displayRef(refOf(role)), places, ...action }));
  // Two rules of a role that say the same are one right.
  return [...new Map(grants.map((grant) => [describeGrant(grant), grant])).values()];
}

function actionsOf(rule: JsonValue): readonly (Action & { readonly name: string | undefined })[] {
  const names = texts(rule, 'resourceNames');
  const actions = texts(rule, 'apiGroups').flatMap((group) =>
    texts(rule, 'resources').flatMap((resource) =>
      texts(rule, 'verbs').flatMap((verb) =>
        (names.length === 0 ? [undefined] : names).map((name) => ({ group, resource, verb, name })),
      ),
    ),
  );
  const hasWildcard = actions.some(({ group, resource, verb }) => [group, resource, verb].includes('*'));
  if (actions.length === 0 || hasWildcard)
    throw new Error(`a rule that can't be compared: ${JSON.stringify(rule)}`);
  return actions;
}

function placesOf(role: K8sObject, account: Account, objects: readonly K8sObject[]): readonly Place[] {
  return objects
    .filter((object) => bindsTo(account, object) && isBoundBy(object, role))
    .map((binding) => ({
      namespace: namespaceOf(binding) ?? WHOLE_CLUSTER,
      binding: displayRef(refOf(binding)),
    }));
}

function bindsTo(account: Account, object: K8sObject): boolean {
  return (
    (object.kind === 'ClusterRoleBinding' || object.kind === 'RoleBinding') &&
    listAt(object, 'subjects').some(
      (subject) =>
        stringAt(subject, 'kind') === 'ServiceAccount' &&
        stringAt(subject, 'name') === account.name &&
        stringAt(subject, 'namespace') === account.namespace,
    )
  );
}

function isBoundBy(binding: K8sObject, role: K8sObject): boolean {
  return (
    stringAt(binding, 'roleRef', 'kind') === role.kind &&
    stringAt(binding, 'roleRef', 'name') === role.metadata.name &&
    (role.kind === 'ClusterRole' || namespaceOf(binding) === namespaceOf(role))
  );
}

function texts(rule: JsonValue, field: string): readonly string[] {
  return listAt(rule, field).map(String);
}
