import { expect } from 'chai';
import { rootCertificate, usesTrustBundles } from './authority.ts';
import { readValues } from './reader.ts';

describe('usesTrustBundles', () => {
  it('counts only the boolean', () => {
    const on = (value: boolean | string) =>
      usesTrustBundles(readValues({ env: { ENABLE_CLUSTER_TRUST_BUNDLE_API: value } }));

    expect([on(true), on('true'), on(false), usesTrustBundles(readValues({}))]).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });

  it("looks where istiod's environment stands", () => {
    const v = readValues({ pilot: { env: { ENABLE_CLUSTER_TRUST_BUNDLE_API: true } } });

    expect([usesTrustBundles(v, 'pilot'), usesTrustBundles(v)]).to.deep.equal([true, false]);
  });
});

describe('rootCertificate', () => {
  it('has a name of its own in each place, unless the user gives one for both', () => {
    expect([rootCertificate(null), rootCertificate('mine')]).to.deep.equal([
      { caConfigMapName: 'istio-ca-root-cert', trustBundleReference: 'istio.io:istiod-ca:root-cert' },
      { caConfigMapName: 'mine', trustBundleReference: 'istio.io:istiod-ca:mine' },
    ]);
  });
});
