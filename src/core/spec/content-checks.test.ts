import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import { checkContent } from './content-checks.ts';

function findings(spec: JsonObject): readonly string[] {
  return checkContent(spec).map(printDiagnostic);
}

/** The paths at which something was found. */
function paths(spec: JsonObject): readonly string[] {
  return checkContent(spec).map(({ path }) => path);
}

function ingress(...gateways: readonly JsonValue[]): JsonObject {
  return { components: { ingressGateways: gateways } };
}

function proxy(settings: JsonObject): JsonObject {
  return { values: { global: { proxy: settings } } };
}

describe('checkContent', () => {
  it('finds nothing in an empty specification', () => {
    expect(findings({})).to.deep.equal([]);
  });

  it('finds all faults of all rules', () => {
    expect(paths({ revision: 'A', hub: '-', ...ingress({}) })).to.deep.equal([
      'spec.revision',
      'spec.components.ingressGateways[0]',
      'spec.hub',
    ]);
  });

  describe('on addons', () => {
    const elsewhere = { enabled: true, mode: 'external' };
    const grafana = { enabled: true };
    const zipkin = { values: { global: { tracer: { zipkin: { address: 'zipkin.obs:9411' } } } } };

    it('miss the address of what others ask, and of nothing else', () => {
      const url = 'http://loki.obs:3100';

      expect(findings({ addonComponents: { prometheus: elsewhere, grafana } })).to.deep.equal([
        'IOP322 spec.addonComponents.prometheus.url: nothing says where prometheus is: grafana cannot find it. ' +
          'Set url, or use mode: bundled.',
      ]);
      expect(findings({ addonComponents: { loki: { ...elsewhere, url }, grafana } })).to.deep.equal([]);
      expect(findings({ addonComponents: { prometheus: elsewhere } })).to.deep.equal([]);
    });

    it('tell that traces go nowhere', () => {
      expect(paths({ addonComponents: { tracing: elsewhere } })).to.deep.equal([
        'spec.addonComponents.tracing.collector',
      ]);
      expect(paths({ addonComponents: { tracing: { ...elsewhere, collector: 'otel.obs' } } })).to.deep.equal(
        [],
      );
    });

    it('tell what becomes of a tracer of older releases', () => {
      const read = { ...zipkin, addonComponents: { tracing: elsewhere } };
      const chosen = { values: { global: { ...zipkin.values.global, proxy: { tracer: 'zipkin' } } } };

      const [causeRead, causeChosen, causeIdle] = [read, chosen, zipkin].map((spec) => checkContent(spec));

      expect(causeRead?.map(({ code }) => code)).to.deep.equal(['IOP310']);
      expect(causeChosen?.map(({ cause }) => cause)).to.deep.equal([
        'it goes to proxies by their bootstrap, and any Telemetry resource with tracing overrides it',
      ]);
      expect(causeIdle?.map(({ cause }) => cause)).to.deep.equal([
        'nothing reads it, because values.global.proxy.tracer is not zipkin',
      ]);
    });
  });

  describe('on the revision', () => {
    it('accepts DNS labels, also those that look like numbers', () => {
      const names = ['canary', '1-30-3', '1', 'a'.repeat(63), '', null, 130];

      expect(names.flatMap((revision) => findings({ revision }))).to.deep.equal([]);
    });

    it('refuses what could not be part of a name', () => {
      const names = ['Canary', 'a.b', '-a', 'a-', 'a_b', 'a'.repeat(64), 1.5];

      expect(names.flatMap((revision) => paths({ revision }))).to.deep.equal(
        names.map(() => 'spec.revision'),
      );
      expect(findings({ revision: '1.30' })).to.deep.equal([
        'IOP205 spec.revision: "1.30" is not a DNS label. Use at most 63 lower-case letters, digits and dashes, such as 1-30-3.',
      ]);
    });
  });

  describe('on names of gateways', () => {
    it('accepts names of Services', () => {
      expect(findings(ingress({ name: 'a' }, { name: 'istio-gw.v2' }))).to.deep.equal([]);
    });

    it('refuses a gateway without a name', () => {
      expect(findings(ingress({ name: 'a' }, { enabled: true }))).to.deep.equal([
        'IOP204 spec.components.ingressGateways[1]: the gateway has no name. Add name: it becomes the name of its Deployment and Service; istio-ingressgateway is usual.',
      ]);
      expect(paths({ components: { egressGateways: [{ name: '' }] } })).to.deep.equal([
        'spec.components.egressGateways[0]',
      ]);
    });

    it('refuses names that a Service cannot have', () => {
      const names = ['A', '-a', 'a_b', 'a/b', `a${'b'.repeat(254)}`];

      expect(names.flatMap((name) => paths(ingress({ name })))).to.deep.equal(
        names.map(() => 'spec.components.ingressGateways[0].name'),
      );
    });

    it('refuses two gateways of one name in one namespace, of whatever kind', () => {
      const components = { ingressGateways: [{ name: 'a' }], egressGateways: [{ name: 'b' }, { name: 'a' }] };

      expect(findings({ components })).to.deep.equal([
        'IOP211 spec.components.egressGateways[1]: another gateway is called "a" in the same namespace. Give it another name or namespace.',
      ]);
    });

    it("knows that the control plane's namespace is the one of gateways that name none", () => {
      const values = { global: { istioNamespace: 'mesh' } };
      const gateways = (namespace: string) => ({
        values,
        ...ingress({ name: 'a' }, { name: 'a', namespace }),
      });

      expect(paths(gateways('mesh'))).to.deep.equal(['spec.components.ingressGateways[1]']);
      expect(paths(gateways('other'))).to.deep.equal([]);
    });

    it('does not count gateways that are off', () => {
      expect(findings(ingress({ name: 'a', enabled: false }, { name: 'a' }))).to.deep.equal([]);
    });
  });

  describe('on namespaces', () => {
    it('accepts DNS labels, and fields left empty', () => {
      const components = {
        cni: { namespace: 'kube-system' },
        base: { namespace: '' },
        ztunnel: { namespace: null },
      };

      expect(findings({ components })).to.deep.equal([]);
    });

    it('refuses what cannot be the name of a namespace', () => {
      const components = { cni: { namespace: 'a.b' }, ingressGateways: [{ name: 'a', namespace: 'A' }] };

      expect(findings({ components })).to.deep.equal([
        'IOP205 spec.components.cni.namespace: "a.b" cannot be the name of a namespace. Use at most 63 lower-case letters, digits and dashes, such as istio-system.',
        'IOP205 spec.components.ingressGateways[0].namespace: "A" cannot be the name of a namespace. Use at most 63 lower-case letters, digits and dashes, such as istio-system.',
      ]);
    });

    it('refuses an empty namespace of the control plane', () => {
      expect(paths({ values: { global: { istioNamespace: '' } } })).to.deep.equal([
        'spec.values.global.istioNamespace',
      ]);
      expect(paths({ values: { global: { istioNamespace: null } } })).to.deep.equal([]);
    });
  });

  describe('on images', () => {
    it('accepts registries with ports and paths, and tags that are numbers', () => {
      const hubs = ['registry.istio.io/release', 'localhost:5000', 'gcr.io/a/b_c-d', 'Example.com/x', ''];
      const tags = ['1.30.3', 'latest', 1.3, '1.30-alpha.0_x', null];

      expect([
        ...hubs.flatMap((hub) => findings({ hub })),
        ...tags.flatMap((tag) => findings({ tag })),
      ]).to.deep.equal([]);
    });

    it('refuses hubs and tags that would break the reference', () => {
      const hubs = ['a b', 'https://gcr.io/istio', 'gcr.io/', '/a', 'a:tag/b'];
      const tags = ['a b', '.1', '1:2', 'a/b', 'a'.repeat(129)];

      expect(hubs.flatMap((hub) => paths({ hub }))).to.deep.equal(hubs.map(() => 'spec.hub'));
      expect(tags.flatMap((tag) => paths({ tag }))).to.deep.equal(tags.map(() => 'spec.tag'));
      expect(findings({ hub: 'https://gcr.io/istio', tag: '1:2' })).to.deep.equal([
        'IOP206 spec.hub: "https://gcr.io/istio" cannot be the hub of an image reference. Use registry/path, such as registry.istio.io/release.',
        'IOP206 spec.tag: "1:2" cannot be the tag of an image reference. Use a tag such as 1.30.3.',
      ]);
    });

    it('looks at all places of hub and tag', () => {
      const image = { hub: ' ', tag: ' ' };

      expect(
        paths({ values: { global: image }, components: { pilot: image, ztunnel: image } }),
      ).to.deep.equal([
        'spec.values.global.hub',
        'spec.values.global.tag',
        'spec.components.pilot.hub',
        'spec.components.pilot.tag',
        'spec.components.ztunnel.hub',
        'spec.components.ztunnel.tag',
      ]);
    });
  });

  describe('on ports of gateways', () => {
    function withPort(port: JsonObject): JsonObject {
      return ingress({ name: 'gw', k8s: { service: { ports: [port] } } });
    }

    it('accepts ports that any user may open', () => {
      const ports = [
        { port: 80, targetPort: 8080 },
        { port: 1025 },
        { port: 80, targetPort: 'http' },
        { port: 80, targetPort: 1024 },
      ];

      expect(ports.flatMap((port) => findings(withPort(port)))).to.deep.equal([]);
    });

    it('refuses ports that only root may open', () => {
      const ports = [
        { port: 80 },
        { port: 1024 },
        { port: 80, targetPort: 0 },
        { port: 9000, targetPort: 1023 },
      ];

      expect(ports.flatMap((port) => paths(withPort(port)))).to.deep.equal(
        ports.map(() => 'spec.components.ingressGateways[0].k8s.service.ports[0]'),
      );
      expect(findings(withPort({ name: 'http', port: 80 }))).to.deep.equal([
        'IOP207 spec.components.ingressGateways[0].k8s.service.ports[0]: port http/80 has targetPort 0, which only root may open. Set targetPort above 1024, or values.gateways.istio-ingressgateway.runAsRoot to true.',
      ]);
    });

    it('accepts them for gateways that run as root', () => {
      const values = { gateways: { 'istio-ingressgateway': { runAsRoot: true } } };

      expect(findings({ ...withPort({ port: 80 }), values })).to.deep.equal([]);
    });
  });

  describe('on captured traffic', () => {
    it('accepts ranges of both families, ports, and everything', () => {
      const settings = [
        { includeIPRanges: '*', excludeIPRanges: '' },
        { includeIPRanges: '10.0.0.0/8,192.168.0.0/32', excludeIPRanges: 'fd00::/8, ::ffff:10.0.0.0/104' },
        { includeInboundPorts: '*', excludeInboundPorts: '0,65535, 80' },
      ];

      expect(settings.flatMap((setting) => findings(proxy(setting)))).to.deep.equal([]);
    });

    it('refuses what is no range', () => {
      const ranges = [
        '10.0.0.0',
        '10.0.0.0/33',
        '256.0.0.0/8',
        '10.0.0/8',
        '::/129',
        'a/8',
        '10.0.0.0/8,*',
        ',',
      ];

      expect(ranges.flatMap((includeIPRanges) => paths(proxy({ includeIPRanges })))).to.deep.equal(
        ranges.map(() => 'spec.values.global.proxy.includeIPRanges'),
      );
      expect(findings(proxy({ excludeIPRanges: '10.0.0.0/8,x' }))).to.deep.equal([
        'IOP208 spec.values.global.proxy.excludeIPRanges: "x" is not acceptable here. Use "*", or ranges such as 10.0.0.0/8 separated by commas.',
      ]);
    });

    it('refuses what is no port', () => {
      const ports = ['99999', '-1', 'http', '80;443', '1-2'];

      expect(ports.flatMap((excludeInboundPorts) => paths(proxy({ excludeInboundPorts })))).to.deep.equal(
        ports.map(() => 'spec.values.global.proxy.excludeInboundPorts'),
      );
    });
  });

  it('refuses the certificate provider that Kubernetes took away, wherever it is chosen', () => {
    const global = { pilotCertProvider: 'kubernetes' };

    expect(findings({ values: { global } })).to.deep.equal([
      'IOP210 spec.values.global.pilotCertProvider: Kubernetes no longer signs certificates for istiod. Use istiod (the default), or custom with your own signer.',
    ]);
    expect(paths({ unvalidatedValues: { global } })).to.deep.equal([
      'spec.unvalidatedValues.global.pilotCertProvider',
    ]);
    expect(paths({ values: { global: { pilotCertProvider: 'custom' } } })).to.deep.equal([]);
  });

  describe('on replica counts', () => {
    const k8s = { replicaCount: 2 };

    it('warns when an autoscaler is switched on too', () => {
      const spec = {
        components: { pilot: { k8s }, ingressGateways: [{ name: 'a', k8s }] },
        values: {
          pilot: { autoscaleEnabled: true },
          gateways: { 'istio-ingressgateway': { autoscaleEnabled: true } },
        },
      };

      expect(findings(spec)).to.deep.equal([
        'IOP304 spec.components.pilot.k8s.replicaCount: the autoscaler will change the count of 2 again. Set values.pilot.autoscaleEnabled to false, or remove replicaCount.',
        'IOP304 spec.components.ingressGateways[0].k8s.replicaCount: the autoscaler will change the count of 2 again. Set values.gateways.istio-ingressgateway.autoscaleEnabled to false, or remove replicaCount.',
      ]);
      expect(checkContent(spec).map(({ severity }) => severity)).to.deep.equal(['warning', 'warning']);
    });

    it('does not when it is off, or nothing is said about it', () => {
      const off = { components: { pilot: { k8s } }, values: { pilot: { autoscaleEnabled: false } } };

      expect([...findings(off), ...findings({ components: { pilot: { k8s } } })]).to.deep.equal([]);
    });
  });

  describe('on fields that nothing reads', () => {
    it('warns of labels of gateways among the values', () => {
      const gateways = {
        'istio-ingressgateway': { labels: { a: 'b' } },
        'istio-egressgateway': { labels: {} },
      };

      expect(findings({ values: { gateways } })).to.deep.equal([
        'IOP303 spec.values.gateways.istio-ingressgateway.labels: the labels of a gateway are not read here. Set label of the entry under spec.components.ingressGateways.',
      ]);
    });

    it('warns of the default revision outside of the values', () => {
      expect(findings({ defaultRevision: 'a', values: { defaultRevision: 'b' } })).to.deep.equal([
        'IOP303 spec.defaultRevision: the default revision is not read here. Set spec.values.defaultRevision instead.',
      ]);
    });

    it('warns of a namespace that the control plane is not in', () => {
      const values = { global: { istioNamespace: 'istio-system' } };

      expect(findings({ namespace: 'other', values })).to.deep.equal([
        'IOP303 spec.namespace: the control plane is installed in istio-system. Set spec.values.global.istioNamespace instead.',
      ]);
      expect(findings({ namespace: 'istio-system', values })).to.deep.equal([]);
    });
  });

  it('warns when istiod would run in another namespace than its account', () => {
    const values = { global: { istioNamespace: 'istio-system' } };
    const inNamespace = (namespace: string) => findings({ values, components: { pilot: { namespace } } });

    expect(inNamespace('other')).to.deep.equal([
      'IOP305 spec.components.pilot.namespace: istiod cannot start in other: its account is in istio-system. Remove it, and set spec.values.global.istioNamespace to other to move the control plane.',
    ]);
    expect(inNamespace('istio-system')).to.deep.equal([]);
  });
});
