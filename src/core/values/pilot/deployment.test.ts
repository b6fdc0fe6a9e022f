import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { isJsonObject, listAt, mapAt } from '../../../model/json.ts';
import type { TestPlanner } from '../../testing/planning.ts';
import { testPlanner } from '../../testing/planning.ts';

describe('deploymentView', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  function pod(values: JsonObject, spec: JsonObject = {}): JsonObject {
    const name = `Deployment istio-system/istiod${typeof spec['revision'] === 'string' ? `-${spec['revision']}` : ''}`;
    return mapAt(planner.field({ values, ...spec }, name, 'spec', 'template', 'spec'));
  }

  function container(values: JsonObject, spec: JsonObject = {}): JsonObject {
    return mapAt(listAt(pod(values, spec), 'containers')[0]);
  }

  function environment(
    values: JsonObject,
    spec: JsonObject = {},
  ): Readonly<Record<string, JsonValue | undefined>> {
    const entries = listAt(container(values, spec), 'env').filter(isJsonObject);
    return Object.fromEntries(entries.map(({ name, value }) => [String(name), value]));
  }

  it('takes the image from istiod before the globals', () => {
    expect(container({ pilot: { hub: 'h', tag: 't', image: 'i', variant: 'v' } })['image']).to.equal(
      'h/i:t-v',
    );
    expect(container({ global: { hub: 'h', tag: 't', variant: 'v' } })['image']).to.equal('h/pilot:t-v');
    expect(container({ pilot: { image: 'a/b:c' } })['image']).to.equal('a/b:c');
  });

  it('passes logging, domain and more to the process', () => {
    const values = {
      global: { logging: { level: 'all:debug' }, logAsJson: true, proxy: { clusterDomain: 'x.local' } },
      pilot: {
        taint: { namespace: 'cni' },
        keepaliveMaxServerConnectionAge: '1h',
        extraContainerArgs: ['--a'],
      },
    };

    expect(container(values)['args']).to.deep.equal([
      'discovery',
      '--monitoringAddr=:15014',
      '--log_output_level=all:debug',
      '--log_as_json',
      '--domain',
      'x.local',
      '--cniNamespace=cni',
      '--keepaliveMaxServerConnectionAge',
      '1h',
      '--a',
    ]);
  });

  it("has the user's environment as texts, in order", () => {
    const env = environment({ pilot: { env: { B: 1, A: true } } });

    expect([env['A'], env['B']]).to.deep.equal(['true', '1']);
    expect(Object.keys(env).filter((name) => name === 'A' || name === 'B')).to.deep.equal(['A', 'B']);
  });

  it('names the node agents that may ask for certificates of others, unless the user does', () => {
    const name = 'CA_TRUSTED_NODE_ACCOUNTS';

    expect(environment({})[name]).to.equal('istio-system/ztunnel');
    expect(environment({ pilot: { trustedZtunnelNamespace: 'a', trustedZtunnelName: 'b' } })[name]).to.equal(
      'a/b',
    );
    expect(
      listAt(container({ pilot: { env: { [name]: 'x/y' } } }), 'env').filter(
        (entry) => mapAt(entry)['name'] === name,
      ),
    ).to.deep.equal([{ name, value: 'x/y' }]);
  });

  it('says which revision it is', () => {
    expect(environment({})['REVISION']).to.equal('default');
    expect(environment({}, { revision: 'canary' })['REVISION']).to.equal('canary');
  });

  it('sets what depends on a switch only when it is on', () => {
    const values = {
      global: { externalIstiod: true, trustBundleName: 'roots', platform: 'gke' },
      pilot: { traceSampling: 0, taint: { enabled: true, name: 'n' }, crlConfigMapName: 'crl' },
    };
    const chosen = [
      'EXTERNAL_ISTIOD',
      'PILOT_CA_CERT_CONFIGMAP',
      'PLATFORM',
      'PILOT_TRACE_SAMPLING',
      'PILOT_NODE_UNTAINT_CONTROLLERS_TAINT_NAME',
      'PILOT_CRL_CONFIGMAP',
    ];

    expect(chosen.map((name) => environment(values)[name])).to.deep.equal([
      'true',
      'roots',
      'gke',
      undefined,
      'n',
      'crl',
    ]);
    expect(chosen.map((name) => environment({})[name])).to.deep.equal([
      undefined,
      undefined,
      '',
      '1',
      undefined,
      undefined,
    ]);
  });

  it('leaves the number of replicas to the autoscaler', () => {
    const replicas = (pilot: JsonObject) =>
      planner.field({ values: { pilot } }, 'Deployment istio-system/istiod', 'spec', 'replicas');

    expect([
      replicas({ replicaCount: 3 }),
      replicas({ replicaCount: 3, autoscaleEnabled: false }),
    ]).to.deep.equal([undefined, 3]);
  });

  it('selects pods of its revision', () => {
    const selector = (revision: string, name: string) =>
      planner.field({ revision }, `Deployment istio-system/${name}`, 'spec', 'selector', 'matchLabels');

    expect([selector('', 'istiod'), selector('canary', 'istiod-canary')]).to.deep.equal([
      { istio: 'pilot' },
      { app: 'istiod', 'istio.io/rev': 'canary' },
    ]);
  });

  it('falls back to the resources for all when its own are taken away', () => {
    expect(container({ pilot: { resources: null } })['resources']).to.deep.equal({
      requests: { cpu: '10m' },
    });
    expect(container({ pilot: { resources: { limits: { cpu: '2' } } } })['resources']).to.deep.equal({
      limits: { cpu: 2 },
      requests: { cpu: '500m', memory: '2048Mi' },
    });
  });

  it('does not let labels of the user replace those that select and name the pods', () => {
    const labels = planner.field(
      { values: { pilot: { podLabels: { 'istio.io/dataplane-mode': 'ambient', mine: 1 } } } },
      'Deployment istio-system/istiod',
      'spec',
      'template',
      'metadata',
      'labels',
    );

    expect(labels).to.deep.include({ 'istio.io/dataplane-mode': 'none', mine: '1' });
  });
});
