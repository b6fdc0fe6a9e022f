import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { gatewayAffinity } from './gateway-affinity.ts';
import { readValues } from './reader.ts';

function affinity(gateway: JsonObject, global: JsonObject = {}): JsonObject {
  return gatewayAffinity(readValues({ global }), readValues(gateway));
}

describe('gatewayAffinity', () => {
  it('asks for nothing by default', () => {
    expect(affinity({})).to.deep.equal({ nodeAffinity: {} });
  });

  it('requires the labels of a node selector, in order', () => {
    const matchExpressions = [
      { key: 'a', operator: 'In', values: ['1'] },
      { key: 'b', operator: 'In', values: ['true'] },
    ];

    expect(affinity({ nodeSelector: { b: true, a: '1' } })).to.deep.equal({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
      },
    });
  });

  it("prefers the gateway's own node selector to the one for all", () => {
    const global = { defaultNodeSelector: { b: '2' } };
    const keyOf = (gateway: JsonObject) =>
      JSON.stringify(affinity(gateway, global)).match(/"key":"(.)"/u)?.[1];

    expect([keyOf({ nodeSelector: { a: '1' } }), keyOf({ nodeSelector: {} })]).to.deep.equal(['a', 'b']);
  });

  it('requires the architectures with a weight, and prefers them by it', () => {
    const expression = (values: readonly string[]) => [{ key: 'kubernetes.io/arch', operator: 'In', values }];

    expect(affinity({}, { arch: { ppc64le: 0, s390x: 2, amd64: 3 } })).to.deep.equal({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: expression(['amd64', 's390x']) }],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 3, preference: { matchExpressions: expression(['amd64']) } },
          { weight: 2, preference: { matchExpressions: expression(['s390x']) } },
        ],
      },
    });
  });

  it('keeps pods apart by the terms of the user', () => {
    const term = { key: 'app', operator: 'In', values: 'a,b', topologyKey: 'zone', namespaces: 'x,y' };
    const podTerm = {
      labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] },
      topologyKey: 'zone',
    };
    const { values: _values, ...withoutValues } = term;

    expect(
      affinity({ podAntiAffinityLabelSelector: [term], podAntiAffinityTermLabelSelector: [term] })[
        'podAntiAffinity'
      ],
    ).to.deep.equal({
      requiredDuringSchedulingIgnoredDuringExecution: [{ ...podTerm, namespaces: ['x', 'y'] }],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: podTerm }],
    });
    expect(affinity({ podAntiAffinityTermLabelSelector: [withoutValues] })['podAntiAffinity']).to.deep.equal({
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            labelSelector: { matchExpressions: [{ key: 'app', operator: 'In' }] },
            topologyKey: 'zone',
          },
        },
      ],
    });
  });
});
