import { expect } from 'chai';
import { DEFAULT_RELEASE } from '../../releases.ts';
import { istiodOf } from './istiod.ts';
import { remoteManifests } from './remote.ts';

/** Template and chosen fields of each manifest for an address. */
function remote(remotePilotAddress: string): unknown {
  const istiod = istiodOf({
    values: { global: { remotePilotAddress }, istiodRemote: { enabled: true } },
    givenValues: {},
    namespace: 'istio-system',
    release: DEFAULT_RELEASE,
    kubernetesVersion: 'v1.32.0',
    injectionTemplates: {},
    files: new Map(),
  });
  return remoteManifests(istiod).map(({ template, view }) => [
    template,
    view['addressType'] ?? view['isName'],
  ]);
}

describe('remoteManifests', () => {
  it('has endpoints for addresses of both families', () => {
    const endpoints = (family: string) => [
      ['pilot/remote-service', false],
      ['pilot/remote-endpoints', family],
    ];

    expect([remote('10.0.0.1'), remote('fd00::1')]).to.deep.equal([endpoints('IPv4'), endpoints('IPv6')]);
  });

  it('has an alias for names, and for addresses that only look like one of them', () => {
    const alias = [['pilot/remote-service', true]];

    expect([remote('istiod.example.com'), remote('::ffff:10.0.0.1')]).to.deep.equal([alias, alias]);
  });

  it('has nothing without an address', () => {
    expect(remote('')).to.deep.equal([]);
  });
});
