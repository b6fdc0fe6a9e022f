/**
 * Shows that a right is needed although no request takes it. The API server lets nobody write a role, or bind one, that
 * holds more than its writer does, unless the writer may escalate or bind it; the audit log has nothing of that. So what
 * the operator wrote is tried, as a dry run, by users that hold all of its rights but those in question.
 */
import { stringAt } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { namespaceOf } from '../../src/model/object.ts';
import type { Api } from '../control-plane/api.ts';
import { connectApi } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { eventually } from '../operator/resources.ts';
import { resourceOf, WHOLE_CLUSTER } from './granted-rights.ts';
import type { Grant } from './granted-rights.ts';
import { accept, apply } from './manifests.ts';

const RBAC = 'rbac.authorization.k8s.io';

export interface Trial {
  readonly grants: readonly Grant[];
  /** Those of the grants that are to be tried. */
  readonly doubtful: readonly Grant[];
  /**
   * Roles and bindings that the operator wrote. They must be gone by now: where nothing changes, nothing is checked.
   * The cluster roles among them are there afterwards.
   */
  readonly written: readonly K8sObject[];
}

/** The doubtful rights without which nothing is refused. */
export async function unprovenBy(plane: ControlPlane, trial: Trial): Promise<readonly Grant[]> {
  if (trial.doubtful.length === 0) return [];
  const groups = groupsOf(trial.doubtful);
  const users = await Promise.all(
    groups.map(async (group, index) => {
      const name = `operator-without-${index}`;
      await give(
        plane,
        name,
        trial.grants.filter((grant) => !group.includes(grant)),
      );
      return { group, api: connectAs(plane, name) };
    }),
  );
  await untilKnown(plane, trial);
  const unproven: Grant[] = [];
  for (const { group, api } of users.filter((user) => !isAboutBinding(user.group)))
    unproven.push(...(await acceptedWithout(api, group, trial)));
  // What is to be bound has to be there: else its absence alone would be a reason to refuse.
  for (const role of trial.written.filter(({ kind }) => kind === 'ClusterRole'))
    await accept(plane.api, role);
  for (const { group, api } of users.filter((user) => isAboutBinding(user.group)))
    unproven.push(...(await acceptedWithout(api, group, trial)));
  await Promise.all(users.map(async ({ api }) => api.close()));
  return unproven;
}

/** Rights by name on one kind of object have nothing to do with each other; all others are tried one by one. */
function groupsOf(grants: readonly Grant[]): readonly (readonly Grant[])[] {
  return [...Map.groupBy(grants, groupKeyOf).values()];
}

function groupKeyOf({ role, name, verb, ...action }: Grant): string {
  return `${name === undefined ? role : ''} ${verb} ${resourceOf(action)}`;
}

function isAboutBinding(group: readonly Grant[]): boolean {
  return group.some(({ verb }) => verb === 'bind');
}

/** The user made here is the last one: as soon as the authorizer knows all its rights, it knows those of the others. */
async function untilKnown(plane: ControlPlane, { grants, written }: Trial): Promise<void> {
  const name = 'operator-without-nothing';
  await give(plane, name, grants);
  const api = connectAs(plane, name);
  await eventually('what the operator wrote is accepted from who holds its rights', async () => {
    const answers = await Promise.all(written.map(async (object) => tryOut(api, object)));
    return answers.every((isAccepted) => isAccepted);
  });
  await api.close();
}

/** Those of a group for which nothing is refused to a user that holds none of them. */
async function acceptedWithout(
  api: Api,
  group: readonly Grant[],
  { written }: Trial,
): Promise<readonly Grant[]> {
  const answers = await Promise.all(
    group.map(async (grant) => {
      const objects = written.filter((object) => isFor(grant, object));
      return Promise.all(objects.map(async (object) => tryOut(api, object)));
    }),
  );
  return group.filter((_grant, index) => answers[index]?.every((isAccepted) => isAccepted) === true);
}

async function tryOut(api: Api, object: K8sObject): Promise<boolean> {
  const { status } = await apply(api, object, '&dryRun=All', 'istio-operator');
  return status === 200 || status === 201;
}

/** Whether a right could be needed to write an object. */
function isFor(grant: Grant, object: K8sObject): boolean {
  const isInPlace = grant.places.some(({ namespace }) =>
    [WHOLE_CLUSTER, namespaceOf(object)].includes(namespace),
  );
  if (grant.verb === 'escalate') return object.kind === 'ClusterRole' && object.metadata.name === grant.name;
  if (grant.verb !== 'bind') return object.kind === 'Role' && isInPlace;
  const kind = grant.resource === 'roles' ? 'Role' : 'ClusterRole';
  const isBinding = stringAt(object, 'roleRef', 'kind') === kind;
  return isBinding && isInPlace && stringAt(object, 'roleRef', 'name') === grant.name;
}

function connectAs(plane: ControlPlane, impersonate: string): Api {
  return connectApi({ ...plane, token: plane.adminToken, impersonate });
}

/** Gives rights to a user, each in its places. */
async function give(plane: ControlPlane, user: string, grants: readonly Grant[]): Promise<void> {
  const places = new Set(grants.flatMap((grant) => grant.places.map(({ namespace }) => namespace)));
  await Promise.all(
    [...places].map(async (place) => {
      const isThere = (grant: Grant): boolean => grant.places.some(({ namespace }) => namespace === place);
      for (const object of rightsIn(place, user, grants.filter(isThere))) await accept(plane.api, object);
    }),
  );
}

function rightsIn(place: string, user: string, grants: readonly Grant[]): readonly K8sObject[] {
  const [prefix, metadata] =
    place === WHOLE_CLUSTER ? ['Cluster', { name: user }] : ['', { name: user, namespace: place }];
  const rules = grants.map(({ group, resource, verb, name }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
    ...(name === undefined ? {} : { resourceNames: [name] }),
  }));
  const apiVersion = `${RBAC}/v1`;
  const roleRef = { apiGroup: RBAC, kind: `${prefix}Role`, name: user };
  const subjects = [{ apiGroup: RBAC, kind: 'User', name: user }];
  return [
    { apiVersion, kind: `${prefix}Role`, metadata, rules },
    { apiVersion, kind: `${prefix}RoleBinding`, metadata, roleRef, subjects },
  ];
}
