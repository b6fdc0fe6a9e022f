import { expect } from 'chai';
import type { JsonObject } from '../../../model/json.ts';
import { at, mapAt } from '../../../model/json.ts';
import { readValues } from '../reader.ts';
import { meshConfig, meshNetworks } from './mesh-config.ts';

const METRICS = { telemetry: { enabled: true, v2: { enabled: true, prometheus: { enabled: true } } } };

function mesh(values: JsonObject): JsonObject {
  const global = { istioNamespace: 'istio-system', proxy: { tracer: 'none' }, ...mapAt(values, 'global') };
  return meshConfig(readValues({ ...values, global }), 'istio-system');
}

describe('meshConfig', () => {
  it('derives what the user leaves open', () => {
    expect(mesh(METRICS)).to.deep.equal({
      trustDomain: 'cluster.local',
      rootNamespace: 'istio-system',
      defaultProviders: { metrics: ['prometheus'] },
      defaultConfig: { discoveryAddress: 'istiod.istio-system.svc:15012' },
    });
  });

  it('is overlaid by what the user gives', () => {
    const own = { trustDomain: 'mine', defaultConfig: { concurrency: 2 }, rootNamespace: 'root' };

    expect(mesh({ meshConfig: own })).to.deep.equal({
      trustDomain: 'mine',
      rootNamespace: 'root',
      defaultConfig: { discoveryAddress: 'istiod.istio-system.svc:15012', concurrency: 2 },
    });
  });

  it('has providers for telemetry unless the user names some', () => {
    const telemetry = {
      ...METRICS.telemetry,
      v2: { ...METRICS.telemetry.v2, stackdriver: { enabled: true } },
    };

    expect(mesh({ telemetry })['defaultProviders']).to.deep.equal({
      metrics: ['prometheus', 'stackdriver'],
      accessLogging: ['stackdriver'],
    });
    expect(
      mesh({ telemetry, meshConfig: { defaultProviders: { metrics: ['own'] } } })['defaultProviders'],
    ).to.deep.equal({
      metrics: ['own'],
    });
    expect(mesh({ telemetry: { ...telemetry, enabled: false } })['defaultProviders']).to.equal(undefined);
  });

  it('chooses a tracer', () => {
    const tracing = (tracer: string, settings: JsonObject = {}) =>
      at(mesh({ global: { proxy: { tracer }, tracer: settings } }), 'defaultConfig', 'tracing');

    expect([
      tracing('none'),
      tracing('zipkin'),
      tracing('zipkin', { zipkin: { address: 'z:1' } }),
      tracing('datadog'),
      tracing('lightstep', { lightstep: { address: 'l:1', accessToken: 't' } }),
      tracing('stackdriver'),
      tracing('toString'),
    ]).to.deep.equal([
      undefined,
      { zipkin: { address: 'zipkin.istio-system:9411' } },
      { zipkin: { address: 'z:1' } },
      { datadog: { address: '$(HOST_IP):8126' } },
      { lightstep: { address: 'l:1', accessToken: 't' } },
      {
        stackdriver: {
          debug: false,
          maxNumberOfAttributes: 200,
          maxNumberOfAnnotations: 200,
          maxNumberOfMessageEvents: 200,
        },
      },
      null,
    ]);
  });

  it('tells proxies where istiod is', () => {
    const address = (values: JsonObject) => at(mesh(values), 'defaultConfig', 'discoveryAddress');
    const global = { remotePilotAddress: '10.0.0.1' };

    expect([
      address({ revision: 'canary' }),
      address({ revision: 'canary', global }),
      address({ global, istiodRemote: { enabled: true, enabledLocalInjectorIstiod: true } }),
    ]).to.deep.equal([
      'istiod-canary.istio-system.svc:15012',
      'istiod.istio-system.svc:15012',
      'istiod-remote.istio-system.svc:15012',
    ]);
  });

  it('has the id of the mesh and the variant of images', () => {
    const config = mesh({
      global: { meshID: 'm', variant: 'debug', proxy: { tracer: 'none', variant: 'distroless' } },
    });

    expect(config['defaultConfig']).to.deep.include({ meshId: 'm', image: { imageType: 'distroless' } });
  });
});

describe('meshNetworks', () => {
  it('is a map also when there are none', () => {
    expect([
      meshNetworks(readValues({})),
      meshNetworks(readValues({ global: { meshNetworks: { n: {} } } })),
    ]).to.deep.equal([{ networks: {} }, { networks: { n: {} } }]);
  });
});
