import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { DEFAULT_RELEASE } from '../releases.ts';
import { readValues } from './reader.ts';
import { configValidator, stableChannelPolicy } from './validation.ts';

const OPTIONS = {
  name: 'istio-validator-istio-system',
  webhook: 'rev.validation.istio.io',
  labels: { app: 'istiod' },
  service: { name: 'istiod', namespace: 'istio-system' },
  revision: null,
};

function view(base: JsonObject, revision: string | null = null): JsonObject {
  return configValidator(readValues({ base }), { ...OPTIONS, revision }).view;
}

describe('configValidator', () => {
  it('asks istiod, and lets everything pass until istiod says otherwise', () => {
    expect(view({})).to.deep.equal({
      name: 'istio-validator-istio-system',
      labels: { app: 'istiod' },
      webhook: 'rev.validation.istio.io',
      client: { service: { name: 'istiod', namespace: 'istio-system', path: '/validate' } },
      failurePolicy: 'Ignore',
      objectSelector: null,
    });
  });

  it('fails closed from the start when the authority is known', () => {
    expect(view({ validationCABundle: 'LS0t', validationFailurePolicy: 'Ignore' })['failurePolicy']).to.equal(
      'Fail',
    );
  });

  it('does as the user says when it is not', () => {
    expect(view({ validationFailurePolicy: 'Fail' })['failurePolicy']).to.equal('Fail');
  });

  it('asks a URL if there is one', () => {
    expect(view({ validationURL: 'https://a/validate' })['client']).to.deep.equal({
      url: 'https://a/validate',
    });
  });

  it('looks only at objects of its revision', () => {
    expect(view({}, 'canary')['objectSelector']).to.deep.equal({
      matchExpressions: [{ key: 'istio.io/rev', operator: 'In', values: ['canary'] }],
    });
  });
});

describe('stableChannelPolicy', () => {
  it('is a policy and its binding', () => {
    const manifests = stableChannelPolicy({
      name: 'policy',
      bindingName: 'binding',
      labels: {},
      revision: null,
      release: DEFAULT_RELEASE,
    });

    expect(manifests).to.deep.equal([
      {
        template: 'shared/stable-policy',
        view: { name: 'policy', labels: {}, objectSelector: null, checksTrustDomains: true },
      },
      { template: 'shared/stable-policy-binding', view: { name: 'binding', policyName: 'policy' } },
    ]);
  });
});
