import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import type { ResourceMapping } from './resource-path.ts';
import { collectionPath, objectPath } from './resource-path.ts';

const ROLES: ResourceMapping = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
};
const SERVICES: ResourceMapping = { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true };

const service = (name: string): { apiVersion: string; kind: string; namespace: string; name: string } => ({
  apiVersion: 'v1',
  kind: 'Service',
  namespace: 'istio-system',
  name,
});

describe('objectPath', () => {
  it('keeps capitals and encodes colons of role names', () => {
    const ref = { apiVersion: ROLES.apiVersion, kind: ROLES.kind, name: 'System:MyRole' };

    expect(objectPath(ROLES, ref)).to.equal(
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/System%3AMyRole',
    );
  });

  it('leads to a subresource of an object in the core group', () => {
    expect(objectPath(SERVICES, service('istiod'), 'status')).to.equal(
      '/api/v1/namespaces/istio-system/services/istiod/status',
    );
  });

  it('refuses a namespaced object without a namespace instead of putting it somewhere', () => {
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'istiod' };

    expect(() => objectPath(SERVICES, ref)).to.throw(ClusterError, 'Service istiod needs a namespace');
  });

  it('refuses a cluster-scoped object with a namespace', () => {
    const ref = { apiVersion: ROLES.apiVersion, kind: ROLES.kind, namespace: 'a', name: 'b' };

    expect(() => objectPath(ROLES, ref)).to.throw(ClusterError, 'ClusterRole a/b cannot have a namespace');
  });

  for (const name of ['', '.', '..', 'a/b', 'a%2Fb', '../../secrets/x']) {
    it(`refuses the name ${JSON.stringify(name)}, which could lead elsewhere`, () => {
      expect(() => objectPath(SERVICES, service(name))).to.throw(
        ClusterError,
        'cannot be the name of an object',
      );
    });
  }
});

describe('collectionPath', () => {
  it('spans all namespaces or one', () => {
    expect([collectionPath(SERVICES), collectionPath(SERVICES, 'a')]).to.deep.equal([
      '/api/v1/services',
      '/api/v1/namespaces/a/services',
    ]);
  });

  it('refuses a namespace for a cluster-scoped kind', () => {
    expect(() => collectionPath(ROLES, 'a')).to.throw(ClusterError, 'ClusterRole has no namespace');
  });
});
