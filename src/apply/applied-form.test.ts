import { expect } from 'chai';
import { appliedForm } from './applied-form.ts';
import { object } from './testing/objects.ts';

describe('appliedForm', () => {
  it('leaves out status, nulls and what the server writes into metadata', () => {
    const plain = object('Deployment', 'istiod', { spec: { replicas: 1, list: [{ a: 1 }] } });
    const rich = {
      ...plain,
      status: { replicas: 1 },
      metadata: {
        ...plain.metadata,
        uid: 'u',
        resourceVersion: '1',
        creationTimestamp: null,
        annotations: null,
      },
      spec: { replicas: 1, paused: null, list: [{ a: 1, b: null }] },
    };

    expect(appliedForm(rich)).to.deep.equal(plain);
  });

  it('keeps nulls in a schema, where they mean something', () => {
    const definition = object('CustomResourceDefinition', 'x', { spec: { default: null } });

    expect(appliedForm(definition)['spec']).to.deep.equal({ default: null });
  });

  it('keeps empty maps and lists, which mean something in selectors and volumes', () => {
    const policy = object('NetworkPolicy', 'x', { spec: { podSelector: {}, ingress: [] } });

    expect(appliedForm(policy)['spec']).to.deep.equal({ podSelector: {}, ingress: [] });
  });

  it('encodes the strings of a Secret, over the encoded values of the same keys', () => {
    const secret = object('Secret', 'x', {
      stringData: { a: 'grüß', b: 'b' },
      data: { b: 'b2xk', c: 'YQ==' },
    });

    const applied = appliedForm(secret);

    expect(applied['data']).to.deep.equal({ a: 'Z3LDvMOf', b: 'Yg==', c: 'YQ==' });
    expect(applied).not.to.have.property('stringData');
  });
});
