import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { mapAt } from '../../model/json.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { MergedSpec } from './merge-spec.ts';
import { mergeSpec, overlaySpecs, userSpecOf } from './merge-spec.ts';
import { parseSetFlags } from './set-flags.ts';

const PROFILES: ReadonlyMap<string, JsonObject> = new Map([
  [
    'default',
    {
      components: { ingressGateways: [{ name: 'gw', enabled: true }] },
      values: { a: 'default', b: 'default' },
    },
  ],
  ['demo', { values: { b: 'demo' } }],
]);
const BUILT_IN = { hub: 'example.com/istio', tag: '1.2.3' };

function merged(
  layers: readonly JsonObject[],
  sets: readonly string[] = [],
  kubernetesVersion = 'v1.32.0',
): MergedSpec {
  const sources = { profiles: PROFILES, ...BUILT_IN, facts: { kubernetesVersion } };
  return mergeSpec(sources, layers, parseSetFlags(sets).flags);
}

function gatewaysOf(...lists: readonly (readonly JsonObject[])[]): unknown {
  const specs = lists.map((ingressGateways) => ({ components: { ingressGateways } }));
  return mapAt(overlaySpecs(specs), 'components')['ingressGateways'];
}

describe('overlaySpecs', () => {
  it('merges gateways by name, and appends new ones', () => {
    const list = gatewaysOf(
      [{ name: 'a', enabled: true, label: { x: '1' } }],
      [{ name: 'b' }, { name: 'a', label: { y: '2' } }],
      [{ name: 'b', enabled: false }],
    );

    expect(list).to.deep.equal([
      { name: 'a', enabled: true, label: { x: '1', y: '2' } },
      { name: 'b', enabled: false },
    ]);
  });

  it('replaces lists inside of a gateway', () => {
    const ports = (port: number) => ({ name: 'a', k8s: { service: { ports: [{ port }] } } });

    expect(gatewaysOf([ports(1)], [ports(2)])).to.deep.equal([ports(2)]);
  });

  it('takes gateways of one name in two namespaces for two', () => {
    const list = gatewaysOf(
      [{ name: 'a', namespace: 'x' }],
      [{ name: 'a', namespace: 'y' }],
      [{ name: 'a', namespace: 'y', enabled: false }],
    );

    expect(list).to.deep.equal([
      { name: 'a', namespace: 'x' },
      { name: 'a', namespace: 'y', enabled: false },
    ]);
  });

  it('lets an overlay leave the namespace out, and move a gateway that had none', () => {
    expect(gatewaysOf([{ name: 'a', namespace: 'x' }], [{ name: 'a', enabled: true }])).to.deep.equal([
      { name: 'a', namespace: 'x', enabled: true },
    ]);
    expect(gatewaysOf([{ name: 'a', enabled: true }], [{ name: 'a', namespace: 'x' }])).to.deep.equal([
      { name: 'a', enabled: true, namespace: 'x' },
    ]);
  });

  it('finds the gateway in the very namespace before one whose namespace is open', () => {
    const list = gatewaysOf(
      [{ name: 'a' }, { name: 'a', namespace: 'x' }],
      [{ name: 'a', namespace: 'x', enabled: false }],
    );

    expect(list).to.deep.equal([{ name: 'a' }, { name: 'a', namespace: 'x', enabled: false }]);
  });

  it('merges no gateways without a name', () => {
    expect(gatewaysOf([{ enabled: true }], [{ enabled: false }])).to.deep.equal([
      { enabled: true },
      { enabled: false },
    ]);
  });

  it('takes a list of gateways that is null for not given', () => {
    const components = { ingressGateways: null, cni: null };

    expect(
      overlaySpecs([{ components: { ingressGateways: [{ name: 'a' }], cni: {} } }, { components }]),
    ).to.deep.equal({
      components: { ingressGateways: [{ name: 'a' }], cni: null },
    });
  });

  it('keeps the gateways of a profile when a file gives an empty list', () => {
    expect(gatewaysOf([{ name: 'a' }], [])).to.deep.equal([{ name: 'a' }]);
  });

  it('replaces all other lists', () => {
    const values = (...list: readonly string[]) => ({ values: { ingressGateways: list } });

    expect(overlaySpecs([values('a', 'b'), values('c')])).to.deep.equal(values('c'));
  });
});

describe('mergeSpec', () => {
  it('lays the files over the chosen profile, and that over the default one', () => {
    const { spec, profile, diagnostics } = merged([{ profile: 'demo' }, { values: { c: 'file' } }]);

    expect({ profile, values: spec['values'], diagnostics }).to.deep.equal({
      profile: 'demo',
      values: { a: 'default', b: 'demo', c: 'file' },
      diagnostics: [],
    });
  });

  it('takes the default profile, hub and tag when none is chosen', () => {
    const { spec } = merged([{}]);

    expect(spec).to.deep.equal({
      ...PROFILES.get('default'),
      profile: 'default',
      hub: 'example.com/istio',
      tag: '1.2.3',
    });
  });

  it('lets files win over hub and tag, and flags over files', () => {
    const { spec } = merged([{ hub: 'file', tag: 'file' }], ['tag=flag']);

    expect([spec['hub'], spec['tag']]).to.deep.equal(['file', 'flag']);
  });

  it('takes the profile from the last file that names one, and from a flag', () => {
    expect(merged([{ profile: 'default' }, { profile: 'demo' }]).profile).to.equal('demo');
    expect(merged([{ profile: 'default' }], ['profile=demo']).profile).to.equal('demo');
  });

  it('applies flags to the whole, so that they reach gateways of the profile', () => {
    const { spec, diagnostics } = merged([{}], ['components.ingressGateways[0].enabled=false']);

    expect(diagnostics).to.deep.equal([]);
    expect(spec['components']).to.deep.equal({ ingressGateways: [{ name: 'gw', enabled: false }] });
  });

  it('keeps apart what the user gave, for it wins over what the operator makes of it', () => {
    const { flags } = parseSetFlags(['values.c=flag', 'components.x.[name:a].b=1']);

    const userSpec = userSpecOf([{ values: { b: 'file' } }], flags);

    expect(userSpec).to.deep.equal({ values: { b: 'file', c: 'flag' } });
  });

  it('tells flags that do not fit, and applies the others', () => {
    const { spec, diagnostics } = merged([{}], ['hub.a=1', 'tag=x']);

    expect(spec['tag']).to.equal('x');
    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['IOP106']);
  });

  it('knows a GKE cluster by its version, below what files say', () => {
    const gke = 'v1.33.5-gke.1200';

    expect(merged([{}], [], gke).spec['components']).to.deep.include({ cni: { namespace: 'kube-system' } });
    expect(merged([{}], [], gke).spec['values']).to.deep.include({
      global: { platform: 'gke' },
      cni: { resourceQuotas: { enabled: false } },
    });
    expect(merged([{ values: { global: { platform: 'k3s' } } }], [], gke).spec['values']).to.deep.include({
      global: { platform: 'k3s' },
    });
  });

  it('names the profile that was meant, and goes on with the default one to find more faults', () => {
    const { profile, spec, diagnostics } = merged([{ profile: 'dmeo', hub: 'x' }]);

    expect(diagnostics.map(printDiagnostic)).to.deep.equal([
      'IOP203 spec.profile: there is no profile "dmeo". Did you mean "demo"? There are default, demo.',
    ]);
    expect({ profile, hub: spec['hub'], values: spec['values'] }).to.deep.equal({
      profile: 'dmeo',
      hub: 'x',
      values: { a: 'default', b: 'default' },
    });
  });

  it('lists the profiles when none is close', () => {
    expect(merged([{ profile: 'something' }]).diagnostics.map(printDiagnostic)).to.deep.equal([
      'IOP203 spec.profile: there is no profile "something". Use one of default, demo.',
    ]);
  });
});
