import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { isJsonObject, listAt } from '../../model/json.ts';
import type { TestPlanner } from '../testing/planning.ts';
import { testPlanner } from '../testing/planning.ts';

const USUAL = [
  'ServiceAccount istio-system/gw-service-account',
  'Role istio-system/gw-sds',
  'RoleBinding istio-system/gw-sds',
  'Service istio-system/gw',
  'Deployment istio-system/gw',
  'HorizontalPodAutoscaler istio-system/gw',
];

describe('gatewayManifests', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  /** One ingress gateway called gw, with values of its kind and whatever its entry says. */
  function spec(gateway: JsonObject = {}, entry: JsonObject = {}, more: JsonObject = {}): JsonObject {
    return {
      profile: 'empty',
      components: { ingressGateways: [{ name: 'gw', enabled: true, ...entry }] },
      values: { gateways: { 'istio-ingressgateway': gateway }, ...more },
    };
  }

  function names(given: JsonObject): readonly string[] {
    return planner.names(given);
  }

  function service(given: JsonObject, ...path: readonly (string | number)[]): JsonValue | undefined {
    return planner.field(given, 'Service istio-system/gw', ...path);
  }

  function pod(given: JsonObject, ...path: readonly (string | number)[]): JsonValue | undefined {
    return planner.field(given, 'Deployment istio-system/gw', 'spec', 'template', ...path);
  }

  it('renders a gateway under its own name', () => {
    expect(names(spec())).to.have.members(USUAL);
  });

  it('renders gateways of both kinds in any namespace', () => {
    const components = {
      ingressGateways: [{ name: 'gw', namespace: 'a' }],
      egressGateways: [{ name: 'gw', namespace: 'b', enabled: true }],
    };

    expect(
      names({ profile: 'empty', components }).filter((name) => name.startsWith('Deployment')),
    ).to.deep.equal(['Deployment a/gw', 'Deployment b/gw']);
  });

  it('renders optional objects when they are asked for, and leaves out what is not wanted', () => {
    expect(names(spec({ customService: true }))).to.have.members(
      USUAL.filter((name) => !name.startsWith('Service ')),
    );
    expect(names(spec({ autoscaleEnabled: false }))).to.have.members(USUAL.slice(0, -1));
    expect(names(spec({ autoscaleMin: 2 }))).to.include('PodDisruptionBudget istio-system/gw');
    expect(names(spec({}, {}, { global: { networkPolicy: { enabled: true } } }))).to.include(
      'NetworkPolicy istio-system/gw',
    );
  });

  it('selects pods by the labels of the entry, laid over the usual ones', () => {
    const given = spec({}, { label: { istio: 'mine', zone: 'a' } });
    const selector = { app: 'istio-ingressgateway', istio: 'mine', zone: 'a' };

    expect(service(given, 'spec', 'selector')).to.deep.equal(selector);
    expect(
      planner.field(given, 'Deployment istio-system/gw', 'spec', 'selector', 'matchLabels'),
    ).to.deep.equal(selector);
    expect(pod(given, 'metadata', 'labels')).to.include(selector);
  });

  it('does not share labels between gateways', () => {
    const ingressGateways = [{ name: 'a', label: { istio: 'a' } }, { name: 'gw' }];

    expect(service({ components: { ingressGateways } }, 'spec', 'selector')).to.deep.equal({
      app: 'istio-ingressgateway',
      istio: 'ingressgateway',
    });
  });

  it('replaces the ports by those of the entry, also those of containers', () => {
    const ports = [
      { port: 8443, targetPort: 9443, name: 'tls' },
      { port: 9000, protocol: 'UDP' },
    ];
    const given = spec({}, { k8s: { service: { ports } } });

    expect(service(given, 'spec', 'ports')).to.deep.equal(ports);
    expect(listAt(pod(given, 'spec', 'containers', 0, 'ports')).slice(0, 2)).to.deep.equal([
      { containerPort: 9443, protocol: 'TCP' },
      { containerPort: 9000, protocol: 'UDP' },
    ]);
  });

  it('takes the tag of the entry, and the hub of all', () => {
    const given = spec({}, { hub: 'own', tag: '1.30.9' }, { global: { hub: 'h', tag: 't' } });

    expect(pod(given, 'spec', 'containers', 0, 'image')).to.equal('h/proxyv2:1.30.9');
  });

  it('runs without rights unless the user wants root', () => {
    expect(pod(spec(), 'spec', 'securityContext')).to.deep.equal({
      runAsUser: 1337,
      runAsGroup: 1337,
      runAsNonRoot: true,
    });
    expect(pod(spec({}, {}, { global: { platform: 'openshift' } }), 'spec', 'securityContext')).to.deep.equal(
      { runAsNonRoot: true },
    );
    expect([
      pod(spec({ runAsRoot: true }), 'spec', 'securityContext'),
      pod(spec({ runAsRoot: true }), 'spec', 'containers', 0, 'securityContext'),
    ]).to.deep.equal([undefined, undefined]);
  });

  it('is left to the injector when it names a template', () => {
    const given = spec({ injectionTemplate: 'gateway' });

    expect(pod(given, 'spec', 'containers', 0, 'image')).to.equal('auto');
    expect(pod(given, 'metadata', 'labels')).to.include({ 'sidecar.istio.io/inject': 'true' });
    expect(pod(given, 'metadata', 'annotations')).to.include({ 'inject.istio.io/templates': 'gateway' });
  });

  it('names its revision to people and to the mesh', () => {
    const canonical = (given: JsonObject) =>
      pod(given, 'metadata', 'labels', 'service.istio.io/canonical-revision');

    expect([
      canonical(spec()),
      canonical({ ...spec(), revision: 'canary' }),
      canonical(spec({}, { label: { version: 'v2' } })),
    ]).to.deep.equal(['latest', 'canary', 'v2']);
  });

  it('sets its network unless the user does so by the environment', () => {
    const network = (gateway: JsonObject) =>
      listAt(pod(spec(gateway, {}, { global: { network: 'n' } }), 'spec', 'containers', 0, 'env'))
        .filter(isJsonObject)
        .filter(({ name }) => name === 'ISTIO_META_NETWORK');

    expect([network({}), network({ env: { ISTIO_META_NETWORK: 'own' } })]).to.deep.equal([
      [{ name: 'ISTIO_META_NETWORK', value: 'n' }],
      [{ name: 'ISTIO_META_NETWORK', value: 'own' }],
    ]);
  });

  it('mounts ConfigMaps only where a path is given', () => {
    const configVolumes = [
      { name: 'a', configMapName: 'map-a', mountPath: '/a' },
      { name: 'b', configMapName: 'map-b' },
    ];
    const given = spec({ configVolumes, secretVolumes: [] });

    const mounts = listAt(pod(given, 'spec', 'containers', 0, 'volumeMounts')).filter(isJsonObject);
    const volumes = listAt(pod(given, 'spec', 'volumes')).filter(isJsonObject);

    expect(mounts.filter(({ name }) => name === 'a' || name === 'b')).to.deep.equal([
      { name: 'a', mountPath: '/a', readOnly: true },
    ]);
    expect(volumes.filter(({ name }) => name === 'a' || name === 'b')).to.deep.equal([
      { name: 'a', configMap: { name: 'map-a', optional: true } },
      { name: 'b', configMap: { name: 'map-b', optional: true } },
    ]);
  });

  it('is on when a value forces all gateways of its kind on', () => {
    const off = { name: 'gw', enabled: false };
    const forced = (enabled: boolean) =>
      names({
        profile: 'empty',
        components: { ingressGateways: [off] },
        values: { gateways: { 'istio-ingressgateway': { enabled } } },
      }).filter((name) => name.endsWith('/gw'));

    expect([forced(false), forced(true).length > 0]).to.deep.equal([[], true]);
  });
});
