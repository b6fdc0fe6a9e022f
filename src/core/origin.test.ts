import { expect } from 'chai';
import type { Diagnostic, Position } from '../model/diagnostic.ts';
import type { JsonObject } from '../model/json.ts';
import type { MergedLayer } from './origin.ts';
import { withOrigin } from './origin.ts';
import { overlaySpecs } from './profile/merge-spec.ts';

const PROFILE = { components: { ingressGateways: [{ name: 'istio-ingressgateway' }] } };

function found(path: string): Diagnostic {
  return { code: 'IOP205', severity: 'error', path, cause: 'it is wrong', remedy: 'Correct it.' };
}

/** A layer that answers every place with its own name as the file. */
function layer(file: string, spec: JsonObject): MergedLayer {
  const position: Position = { file, line: 1, column: 1 };
  return { spec, locate: () => position };
}

/** File and path after looking for the origin in these layers. */
function origin(path: string, ...layers: readonly MergedLayer[]): readonly [string | undefined, string] {
  const merged = overlaySpecs([PROFILE, ...layers.map(({ spec }) => spec)]);
  const placed = withOrigin(found(path), merged, layers);
  return [placed.position?.file, placed.path];
}

function gateways(...ingressGateways: readonly JsonObject[]): JsonObject {
  return { components: { ingressGateways } };
}

describe('withOrigin', () => {
  it('finds the file that has the place, and of several the strongest', () => {
    const a = layer('a', { values: { global: { hub: 'x' } } });
    const b = layer('b', { values: { global: { tag: 'y' } } });
    const c = layer('c', { values: { global: { tag: 'z' } } });

    expect([
      origin('spec.values.global.hub', a, b, c),
      origin('spec.values.global.tag', a, b, c),
      origin('spec.values.global.tag', a, b),
    ]).to.deep.equal([
      ['a', 'spec.values.global.hub'],
      ['c', 'spec.values.global.tag'],
      ['b', 'spec.values.global.tag'],
    ]);
  });

  it('finds the file with the nearest parent of what is missing', () => {
    const a = layer('a', { values: { global: { proxy: {} } } });
    const b = layer('b', { values: {} });

    expect(origin('spec.values.global.proxy.image', a, b)).to.deep.equal([
      'a',
      'spec.values.global.proxy.image',
    ]);
  });

  it('leaves alone what comes from no file', () => {
    expect(origin('spec.components.pilot.namespace', layer('a', { values: {} }))).to.deep.equal([
      undefined,
      'spec.components.pilot.namespace',
    ]);
    expect(origin('', layer('a', {}))).to.deep.equal([undefined, '']);
  });

  it('says the index that a gateway has in the file', () => {
    const a = layer('a', gateways({ name: 'own', k8s: { replicaCount: 1 } }));

    expect(origin('spec.components.ingressGateways[1].k8s.replicaCount', a)).to.deep.equal([
      'a',
      'spec.components.ingressGateways[0].k8s.replicaCount',
    ]);
  });

  it('finds the file that says the faulty thing about a gateway of several files', () => {
    const a = layer('a', gateways({ name: 'x' }, { name: 'y', k8s: { replicaCount: 1 } }));
    const b = layer('b', gateways({ name: 'y', label: {} }));

    expect([
      origin('spec.components.ingressGateways[2].k8s.replicaCount', a, b),
      origin('spec.components.ingressGateways[2].label', a, b),
      origin('spec.components.ingressGateways[1].name', a, b),
    ]).to.deep.equal([
      ['a', 'spec.components.ingressGateways[1].k8s.replicaCount'],
      ['b', 'spec.components.ingressGateways[0].label'],
      ['a', 'spec.components.ingressGateways[0].name'],
    ]);
  });

  it('tells gateways of one name by their namespaces', () => {
    const a = layer('a', gateways({ name: 'x', namespace: 'n' }, { name: 'x', namespace: 'm' }));

    expect(origin('spec.components.ingressGateways[2].namespace', a)).to.deep.equal([
      'a',
      'spec.components.ingressGateways[1].namespace',
    ]);
  });

  it('tells twins in one file by their order', () => {
    const a = layer('a', gateways({ name: 'x' }, { name: 'x' }));

    expect([1, 2].map((index) => origin(`spec.components.ingressGateways[${index}]`, a))).to.deep.equal([
      ['a', 'spec.components.ingressGateways[0]'],
      ['a', 'spec.components.ingressGateways[1]'],
    ]);
  });

  it('tells gateways without a name by their order', () => {
    const a = layer('a', gateways({ name: 'x' }, { enabled: true }));
    const b = layer('b', gateways({ enabled: true }, { enabled: false }));

    expect([2, 3, 4].map((index) => origin(`spec.components.ingressGateways[${index}]`, a, b))).to.deep.equal(
      [
        ['a', 'spec.components.ingressGateways[1]'],
        ['b', 'spec.components.ingressGateways[0]'],
        ['b', 'spec.components.ingressGateways[1]'],
      ],
    );
  });

  it('keeps the index of a gateway that only the profile has', () => {
    expect(
      origin('spec.components.ingressGateways[0].name', layer('a', gateways({ name: 'x' }))),
    ).to.deep.equal([undefined, 'spec.components.ingressGateways[0].name']);
  });
});
