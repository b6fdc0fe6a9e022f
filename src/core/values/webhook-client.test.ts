import { expect } from 'chai';
import { webhookClient } from './webhook-client.ts';

const SERVICE = { name: 'istiod', namespace: 'istio-system', path: '/inject' };

describe('webhookClient', () => {
  it('leads to a Service, with the authority when it is known', () => {
    expect([
      webhookClient({ url: null, service: SERVICE, caBundle: null }),
      webhookClient({ url: null, service: SERVICE, caBundle: 'LS0t' }),
    ]).to.deep.equal([{ service: SERVICE }, { service: SERVICE, caBundle: 'LS0t' }]);
  });

  it('leads to a URL if there is one', () => {
    expect(webhookClient({ url: 'https://a/inject', service: SERVICE, caBundle: 'LS0t' })).to.deep.equal({
      url: 'https://a/inject',
      caBundle: 'LS0t',
    });
  });
});
