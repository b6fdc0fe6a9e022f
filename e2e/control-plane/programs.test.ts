import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { VERSIONS, cacheKey, goPlatform } from './programs.ts';

function goModOf(module: string): string {
  return readFileSync(new URL(`./build/${module}/go.mod`, import.meta.url), 'utf8');
}

describe('VERSIONS', () => {
  it('are those that the Go modules build', () => {
    expect(goModOf('etcd')).to.include(`require go.etcd.io/etcd/server/v3 v${VERSIONS.etcd}\n`);
    expect(goModOf('kubernetes')).to.include(`require k8s.io/kubernetes v${VERSIONS.kubernetes}\n`);
    expect(goModOf('kwok')).to.include(`require sigs.k8s.io/kwok v${VERSIONS.kwok}\n`);
  });

  it('have the staging modules of Kubernetes replaced by those of the same release', () => {
    const staged = VERSIONS.kubernetes.replace(/^1\./, 'v0.');

    const replacements = [...goModOf('kubernetes').matchAll(/^\s+(k8s\.io\/\S+) => (\S+) (\S+)$/gm)];

    expect(replacements).to.have.length.above(20);
    for (const [, from, to, version] of replacements) expect([to, version]).to.deep.equal([from, staged]);
  });
});

describe('cacheKey', () => {
  it('tells versions and platforms apart', () => {
    const key = cacheKey(goPlatform('linux', 'x64'));

    expect(key).to.equal('etcd-3.6.6_kubernetes-1.34.4_kwok-0.7.0_linux_amd64');
    expect(key).not.to.equal(cacheKey(goPlatform('linux', 'arm64')));
  });
});
