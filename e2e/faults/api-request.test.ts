import { expect } from 'chai';
import { objectOf, readRequest } from './api-request.ts';

const DEPLOYMENT = '/apis/apps/v1/namespaces/istio-system/deployments/istiod';
const APPLY = 'application/apply-patch+yaml';

describe('readRequest', () => {
  for (const [line, expected] of [
    [{ method: 'GET', url: DEPLOYMENT }, 'get'],
    [{ method: 'GET', url: '/apis/apps/v1/deployments?limit=500' }, 'list'],
    [{ method: 'GET', url: '/apis/apps/v1/deployments?watch=true&resourceVersion=1' }, 'watch'],
    [{ method: 'PATCH', url: `${DEPLOYMENT}?force=true`, contentType: APPLY }, 'apply'],
    [{ method: 'PATCH', url: `${DEPLOYMENT}?dryRun=All`, contentType: APPLY }, 'dryRun'],
    [{ method: 'PATCH', url: DEPLOYMENT, contentType: 'application/merge-patch+json' }, 'patch'],
    [{ method: 'PATCH', url: `${DEPLOYMENT}/status`, contentType: 'application/merge-patch+json' }, 'status'],
    [{ method: 'PUT', url: DEPLOYMENT }, 'update'],
    [{ method: 'POST', url: '/api/v1/namespaces' }, 'create'],
    [{ method: 'DELETE', url: DEPLOYMENT }, 'delete'],
    [{ method: 'PUT', url: '/apis/coordination.k8s.io/v1/namespaces/a/leases/b' }, 'lease'],
    [{ method: 'POST', url: '/apis/events.k8s.io/v1/namespaces/a/events' }, 'event'],
    [{ method: 'GET', url: '/apis/apps/v1' }, 'discovery'],
    [{ method: 'GET', url: '/api' }, 'discovery'],
    [{ method: 'GET', url: '/version' }, 'other'],
  ] as const) {
    it(`takes ${line.method} ${line.url} for ${expected}`, () => {
      expect(readRequest(line).class).to.equal(expected);
    });
  }

  it('reads which object is meant, in a namespace and outside, with and without a group', () => {
    const urls = [
      DEPLOYMENT,
      '/api/v1/namespaces/istio-system',
      '/api/v1/namespaces/istio-system/finalize',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/istiod',
    ];

    expect(urls.map((url) => objectOf(readRequest({ method: 'PUT', url })))).to.deep.equal([
      'deployments.apps istio-system/istiod',
      'namespaces istio-system',
      'namespaces istio-system',
      'clusterroles.rbac.authorization.k8s.io istiod',
    ]);
  });

  it('counts no read and no dry run as a write', () => {
    const requests = [
      { method: 'GET', url: DEPLOYMENT },
      { method: 'DELETE', url: `${DEPLOYMENT}?dryRun=All` },
      { method: 'DELETE', url: DEPLOYMENT },
    ];

    expect(requests.map((request) => readRequest(request).isWrite)).to.deep.equal([false, false, true]);
  });
});
