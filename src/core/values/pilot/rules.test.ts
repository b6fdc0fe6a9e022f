import { expect } from 'chai';
import type { JsonObject } from '../../../model/json.ts';
import { DEFAULT_RELEASE } from '../../releases.ts';
import { readValues } from '../reader.ts';
import { istiodClusterRules, readerRules } from './rules.ts';

/** `group resource verbs` for each rule about one of these resources. */
function rules(values: JsonObject, ...resources: readonly string[]): readonly string[] {
  return istiodClusterRules(readValues(values), DEFAULT_RELEASE)
    .filter((rule) => rule.resources.some((resource) => resources.includes(resource)))
    .map(({ apiGroups, resources: named, verbs, resourceNames }) =>
      [apiGroups.join(), named.join(), verbs.join(), JSON.stringify(resourceNames) ?? ''].join(' ').trim(),
    );
}

describe('istiodClusterRules', () => {
  it('approves certificates of Kubernetes only with an authority that is not its own', () => {
    const approve = 'certificates.k8s.io signers approve';

    expect(
      ['istiod', 'custom', 'none'].flatMap((pilotCertProvider) =>
        rules({ global: { pilotCertProvider } }, 'signers'),
      ),
    ).to.deep.equal([]);
    expect(rules({ global: { pilotCertProvider: 'k8s.io/x' } }, 'signers')).to.deep.equal([approve]);
    expect(
      rules(
        { global: { pilotCertProvider: 'istiod', certSigners: ['a/b'] }, env: { EXTERNAL_CA: 'x' } },
        'signers',
      ),
    ).to.deep.equal([`${approve} ["a/b"]`]);
  });

  it('manages trust bundles only when they are used', () => {
    const values = {
      global: { pilotCertProvider: 'istiod' },
      env: { ENABLE_CLUSTER_TRUST_BUNDLE_API: true },
    };

    expect(rules(values, 'clustertrustbundles', 'signers')).to.deep.equal([
      'certificates.k8s.io clustertrustbundles update,create,delete,list,watch,get',
      'certificates.k8s.io signers attest ["istio.io/istiod-ca"]',
    ]);
  });

  it('changes nodes only to remove a taint', () => {
    expect(rules({ taint: { enabled: true } }, 'nodes')).to.include('nodes patch');
    expect(rules({}, 'nodes').some((rule) => rule.includes('patch'))).to.equal(false);
  });

  it('writes the status of configuration only when it analyses it', () => {
    expect(rules({}, 'virtualservices/status')).to.deep.equal([]);
    expect(rules({ global: { istiod: { enableAnalysis: true } } }, 'virtualservices/status')).to.have.length(
      1,
    );
  });

  it('exports services in the group that the user names', () => {
    expect(rules({}, 'serviceexports')).to.deep.equal([
      'multicluster.x-k8s.io serviceexports get,watch,list,create,delete',
    ]);
    expect(rules({ env: { MCS_API_GROUP: 'net.gke.io' } }, 'serviceimports')).to.deep.equal([
      'net.gke.io serviceimports get,list,watch',
    ]);
  });
});

describe('readerRules', () => {
  it('lets a remote control plane manage webhooks only in a cluster that has none', () => {
    const managed = (values: JsonObject) =>
      readerRules(readValues(values), DEFAULT_RELEASE).flatMap(({ resources }) =>
        resources.filter((resource) => resource.includes('webhook')),
      );

    expect(managed({})).to.deep.equal([]);
    expect(managed({ istiodRemote: { enabled: true } })).to.deep.equal([
      'mutatingwebhookconfigurations',
      'validatingwebhookconfigurations',
    ]);
  });
});
