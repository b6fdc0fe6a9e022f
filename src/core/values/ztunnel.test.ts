import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { at, isJsonObject, listAt } from '../../model/json.ts';
import type { TestPlanner } from '../testing/planning.ts';
import { testPlanner } from '../testing/planning.ts';

describe('ztunnelManifests', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  function spec(values: JsonObject, more: JsonObject = {}): JsonObject {
    return { profile: 'empty', components: { ztunnel: { enabled: true } }, values, ...more };
  }

  function template(given: JsonObject, ...path: readonly (string | number)[]): JsonValue | undefined {
    return planner.field(given, 'DaemonSet istio-system/ztunnel', 'spec', 'template', ...path);
  }

  function environment(given: JsonObject): JsonObject {
    const entries = listAt(template(given, 'spec', 'containers', 0, 'env')).filter(isJsonObject);
    return Object.fromEntries(entries.map(({ name, value }) => [String(name), value ?? null]));
  }

  it('renders the proxy and its account', () => {
    expect(planner.names(spec({}))).to.deep.equal([
      'ServiceAccount istio-system/ztunnel',
      'DaemonSet istio-system/ztunnel',
    ]);
  });

  it('renders optional objects when they are asked for', () => {
    const added = (values: JsonObject) =>
      planner.names(spec(values)).filter((name) => !planner.names(spec({})).includes(name));

    expect(added({ ztunnel: { resourceQuotas: { enabled: true } } })).to.deep.equal([
      'ResourceQuota istio-system/ztunnel',
    ]);
    expect(added({ global: { networkPolicy: { enabled: true } } })).to.deep.equal([
      'NetworkPolicy istio-system/ztunnel',
    ]);
    expect(added({ global: { platform: 'openshift' } })).to.deep.equal([
      'ClusterRole ztunnel',
      'ClusterRoleBinding ztunnel',
    ]);
  });

  it('is called as the user wants', () => {
    expect(planner.names(spec({ ztunnel: { resourceName: 'zt' } }))).to.deep.equal([
      'ServiceAccount istio-system/zt',
      'DaemonSet istio-system/zt',
    ]);
  });

  it('reads the globals, and its own group before them', () => {
    const image = (values: JsonObject) => template(spec(values), 'spec', 'containers', 0, 'image');
    const global = { hub: 'h', tag: 't', variant: 'debug' };

    expect([image({ global }), image({ global, ztunnel: { tag: 'own', variant: '' } })]).to.deep.equal([
      'h/ztunnel:t-debug',
      'h/ztunnel:own',
    ]);
  });

  it('does not see groups of other components', () => {
    const meshConfig = { defaultConfig: { proxyMetadata: { A: 'b' } } };

    expect(environment(spec({ meshConfig }))['A']).to.equal(undefined);
    expect(environment(spec({ ztunnel: { meshConfig } }))['A']).to.equal('b');
  });

  it('finds the istiod of its revision', () => {
    expect(environment(spec({}, { revision: 'canary' }))).to.include({
      CA_ADDRESS: 'istiod-canary.istio-system.svc:15012',
      XDS_ADDRESS: 'istiod-canary.istio-system.svc:15012',
    });
    expect(environment(spec({ global: { caAddress: 'ca:1' }, ztunnel: { xdsAddress: 'xds:1' } }))).to.include(
      {
        CA_ADDRESS: 'ca:1',
        XDS_ADDRESS: 'xds:1',
      },
    );
  });

  it('says to which revision its objects belong', () => {
    const annotations = (revision: string) =>
      planner.field(spec({}, { revision }), 'ServiceAccount istio-system/ztunnel', 'metadata', 'annotations');

    expect([annotations('canary'), annotations('')]).to.deep.equal([{ 'istio.io/rev': 'canary' }, undefined]);
  });

  it('puts labels of the user on objects and not on pods', () => {
    const given = spec({ ztunnel: { labels: { mine: 'x' } } });

    expect(planner.field(given, 'DaemonSet istio-system/ztunnel', 'metadata', 'labels')).to.include({
      mine: 'x',
    });
    expect(template(given, 'metadata', 'labels')).to.not.have.property('mine');
  });

  it('has no resources when they are taken away', () => {
    expect(
      at(template(spec({ ztunnel: { resources: null } }), 'spec', 'containers', 0), 'resources'),
    ).to.equal(undefined);
  });
});
