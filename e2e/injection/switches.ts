/**
 * What the cases do not show: switches of the templates with only the part of the result that they are about. Together
 * with the cases they go through every branch of every template.
 */
import { expect } from 'chai';
import type { JsonObject } from '../../src/model/json.ts';
import { at, listAt, mapAt, stringAt } from '../../src/model/json.ts';
import type { InjectionCase } from './cases.ts';
import { containerOf, environmentOf, mountsOf, onlyOne, podSpecOf, volumesOf } from './pod-reading.ts';

export interface Switch {
  readonly given: InjectionCase;
  /** Throws when the rendered objects are not what they should be. */
  readonly verify: (objects: readonly JsonObject[]) => void;
}

type Settings = Partial<InjectionCase>;
type TextMap = Readonly<Record<string, string>>;

interface Workload {
  readonly template?: string;
  readonly annotations?: TextMap;
  readonly metadata?: JsonObject;
}

function podCase(
  name: string,
  { template = 'sidecar', annotations = {} }: Workload,
  settings: Settings = {},
): InjectionCase {
  const podAnnotations = { ...annotations, 'inject.istio.io/templates': template };
  const container = { name: template === 'gateway' ? 'istio-proxy' : 'app', image: 'auto' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app' },
    spec: { template: { metadata: { annotations: podAnnotations }, spec: { containers: [container] } } },
  };
  return caseOf(name, deployment, { runner: 'kube-inject', ...settings });
}

function gatewayCase(
  name: string,
  gatewayClassName: string,
  { annotations, metadata }: Workload,
  settings: Settings = {},
): InjectionCase {
  const gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      name: 'gw',
      namespace: 'shop',
      uid: 'u-1',
      ...(annotations === undefined ? {} : { annotations }),
      ...metadata,
    },
    spec: { gatewayClassName, listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  };
  return caseOf(name, gateway, { runner: 'gateway-controller', ...settings });
}

function caseOf(name: string, input: JsonObject, settings: Settings): InjectionCase {
  const base = { runner: 'kube-inject', values: {}, mesh: {}, nativeSidecars: true, revision: '' } as const;
  return { name, input: JSON.stringify(input), ...base, ...settings };
}

const ANOTHER_ISSUER: JsonObject = { global: { pilotCertProvider: 'custom' } };
const GKE_ISSUER: JsonObject = { global: { caName: 'GkeWorkloadCertificate' } };
const GKE_VOLUME = {
  name: 'gke-workload-certificate',
  csi: { driver: 'workloadcertificates.security.cloud.google.com' },
};

const PODS_WITH_PROXY = ['sidecar', 'gateway', 'grpc-agent'];

const CERTIFICATES: readonly Switch[] = [
  ...PODS_WITH_PROXY.map((template): Switch => ({
    given: podCase(
      `${template} has no bundle of istiod when istiod does not sign`,
      { template },
      { values: ANOTHER_ISSUER },
    ),
    verify: (objects) => {
      const proxy = containerOf(objects, 'istio-proxy');
      expect(environmentOf(proxy)['PILOT_CERT_PROVIDER']).to.equal('custom');
      expect(volumesOf(objects)).not.to.have.property('istiod-ca-cert');
      expect(mountsOf(proxy)).not.to.include('istiod-ca-cert');
      expect(mountsOf(proxy)).not.to.include('istio-ca-crl');
    },
  })),
  {
    given: gatewayCase(
      'agentgateway mounts nothing that it has not when istiod does not sign',
      'istio-agentgateway',
      {},
      { values: ANOTHER_ISSUER },
    ),
    verify: (objects) => {
      expect(Object.keys(volumesOf(objects))).to.deep.equal(['tmp', 'xds-token', 'istio-token']);
      expect(mountsOf(containerOf(objects, 'agentgateway'))).to.deep.equal([
        'xds-token',
        'istio-token',
        'tmp',
      ]);
    },
  },
  {
    given: podCase(
      'gateway takes its certificate from the driver of GKE',
      { template: 'gateway' },
      { values: GKE_ISSUER },
    ),
    verify: (objects) => {
      expect(volumesOf(objects)['gke-workload-certificate']).to.deep.equal(GKE_VOLUME);
      expect(volumesOf(objects)).not.to.have.property('workload-certs');
    },
  },
  {
    given: gatewayCase(
      'kube-gateway takes its certificate from the driver of GKE',
      'istio',
      {},
      { values: GKE_ISSUER },
    ),
    verify: (objects) => {
      expect(volumesOf(objects)['gke-workload-certificate']).to.deep.equal(GKE_VOLUME);
      expect(volumesOf(objects)).not.to.have.property('workload-certs');
    },
  },
  {
    given: podCase(
      'sidecar trusts the bundle of the cluster, also when the switch is a text',
      {},
      { values: { pilot: { env: { ENABLE_CLUSTER_TRUST_BUNDLE_API: 'true' } } } },
    ),
    verify: (objects) => {
      const bundle = { name: 'istio.io:istiod-ca:root-cert', path: 'root-cert.pem' };
      expect(at(volumesOf(objects)['istiod-ca-cert'], 'projected', 'sources')).to.deep.equal([
        { clusterTrustBundle: bundle },
      ]);
    },
  },
];

const SIDECAR: readonly Switch[] = [
  {
    given: podCase(
      'sidecar hands Datadog settings on when Datadog traces',
      { annotations: { 'apm.datadoghq.com/env': '{"DD_ENV":"say \\"hi\\"","DD_TRACE":true}' } },
      { values: { global: { proxy: { tracer: 'datadog' } } } },
    ),
    verify: (objects) =>
      expect(environmentOf(containerOf(objects, 'istio-proxy'))).to.include({
        DD_ENV: 'say "hi"',
        DD_TRACE: 'true',
      }),
  },
  {
    given: podCase(
      'sidecar has no mesh and no trust domain where there is none',
      {},
      { mesh: { trustDomain: '' } },
    ),
    verify: (objects) =>
      expect(environmentOf(containerOf(objects, 'istio-proxy'))).not.to.have.any.keys(
        'ISTIO_META_MESH_ID',
        'TRUST_DOMAIN',
      ),
  },
  {
    given: caseOf(
      'sidecar has no workload where none is known',
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { generateName: 'x-' },
        spec: { containers: [{ name: 'app', image: 'a' }] },
      },
      {},
    ),
    verify: (objects) => {
      const environment = environmentOf(containerOf(objects, 'istio-proxy'));
      expect(environment).not.to.have.any.keys('ISTIO_META_WORKLOAD_NAME', 'ISTIO_META_OWNER');
      expect(at(onlyOne(objects, 'Pod'), 'metadata', 'labels', 'service.istio.io/canonical-name')).to.equal(
        '',
      );
    },
  },
  {
    given: podCase(
      'sidecar leaves empty IP ranges to the plugin',
      { annotations: { 'traffic.sidecar.istio.io/includeOutboundIPRanges': '' } },
      { values: { pilot: { cni: { enabled: true } } } },
    ),
    verify: (objects) => {
      const annotations = mapAt(
        onlyOne(objects, 'Deployment'),
        'spec',
        'template',
        'metadata',
        'annotations',
      );
      expect(annotations['traffic.sidecar.istio.io/includeOutboundIPRanges']).to.equal('');
      expect(annotations).not.to.have.property('traffic.sidecar.istio.io/excludeOutboundIPRanges');
    },
  },
  {
    given: podCase(
      'sidecar adds itself to the networks of a pod with multus',
      { annotations: { 'k8s.v1.cni.cncf.io/networks': '[{"name": "own", "namespace": "shop"}]' } },
      { values: { pilot: { cni: { enabled: true, provider: 'multus' } } } },
    ),
    verify: (objects) => {
      const annotations = mapAt(
        onlyOne(objects, 'Deployment'),
        'spec',
        'template',
        'metadata',
        'annotations',
      );
      expect(JSON.parse(stringAt(annotations, 'k8s.v1.cni.cncf.io/networks') ?? '')).to.deep.equal([
        { name: 'own', namespace: 'shop' },
        { name: 'istio-cni', namespace: 'default' },
      ]);
    },
  },
  {
    given: podCase('sidecar leads the interfaces of virtual machines through the proxy', {
      annotations: {
        'traffic.sidecar.istio.io/kubevirtInterfaces': 'net1',
        'traffic.sidecar.istio.io/excludeInterfaces': 'net2',
      },
    }),
    verify: (objects) => {
      const args = listAt(containerOf(objects, 'istio-init'), 'args');
      expect(args.slice(args.indexOf('-k')).slice(0, 4)).to.deep.equal(['-k', 'net1', '-c', 'net2']);
    },
  },
  {
    given: podCase(
      'sidecar keeps words that YAML would take for something else',
      {},
      {
        mesh: { defaultConfig: { proxyMetadata: { A: 'n', B: '0123', C: 'two\nlines "quoted"', D: '<&>' } } },
      },
    ),
    verify: (objects) =>
      expect(environmentOf(containerOf(objects, 'istio-proxy'))).to.include({
        A: 'n',
        B: '0123',
        C: 'two\nlines "quoted"',
        D: '<&>',
      }),
  },
  {
    given: podCase(
      'sidecar prints big numbers in full',
      {},
      {
        values: {
          global: {
            sts: { servicePort: 15463 },
            proxy: { startupProbe: { enabled: true, failureThreshold: 2_000_000 } },
          },
        },
      },
    ),
    verify: (objects) => {
      const proxy = containerOf(objects, 'istio-proxy');
      expect(at(proxy, 'args')).to.include('--stsPort=15463');
      expect(at(proxy, 'startupProbe', 'failureThreshold')).to.equal(2_000_000);
    },
  },
  {
    given: podCase('sidecar has the resources that the pod wants, and none of the mesh beside them', {
      annotations: {
        'sidecar.istio.io/proxyCPU': '10m',
        'sidecar.istio.io/proxyMemory': '20Mi',
        'sidecar.istio.io/proxyCPULimit': '30m',
        'sidecar.istio.io/proxyMemoryLimit': '40Mi',
      },
    }),
    verify: (objects) =>
      expect(containerOf(objects, 'istio-proxy')['resources']).to.deep.equal({
        requests: { cpu: '10m', memory: '20Mi' },
        limits: { cpu: '30m', memory: '40Mi' },
      }),
  },
  {
    given: podCase(
      'sidecar refuses user volumes that are no JSON',
      { annotations: { 'sidecar.istio.io/userVolume': '{' } },
      { expectError: 'userVolume'.toLowerCase() },
    ),
    verify: () => undefined,
  },
];

const GRPC: readonly Switch[] = [
  {
    given: podCase(
      'grpc-simple writes a bootstrap file that names istiod and the pod',
      { template: 'grpc-simple' },
      {
        values: { global: { istioNamespace: 'mesh' } },
        bootstrap: {
          file: '/var/lib/grpc/data/bootstrap.json',
          env: { INSTANCE_IP: '10.1.2.3', POD_NAME: 'p-0', POD_NAMESPACE: 'shop' },
          json: {
            xds_servers: [
              {
                server_uri: 'dns:///istiod.mesh.svc:15010',
                channel_creds: [{ type: 'insecure' }],
                server_features: ['xds_v3'],
              },
            ],
            node: { id: 'sidecar~10.1.2.3~p-0.shop~cluster.local', metadata: { GENERATOR: 'grpc' } },
          },
        },
      },
    ),
    verify: (objects) => {
      const app = containerOf(objects, 'app');
      expect(environmentOf(app)).to.deep.equal({
        GRPC_XDS_BOOTSTRAP: '/var/lib/grpc/data/bootstrap.json',
        GRPC_GO_LOG_VERBOSITY_LEVEL: '99',
        GRPC_GO_LOG_SEVERITY_LEVEL: 'info',
      });
      expect(mountsOf(app)).to.deep.equal(['grpc-io-proxyless-bootstrap']);
      expect(Object.keys(volumesOf(objects))).to.deep.equal(['grpc-io-proxyless-bootstrap']);
    },
  },
  {
    given: podCase('grpc-agent keeps its mounts and resources when there is no status port', {
      template: 'grpc-agent',
      annotations: { 'status.sidecar.istio.io/port': '0' },
    }),
    verify: (objects) => {
      const agent = containerOf(objects, 'istio-proxy');
      expect(agent).not.to.have.property('readinessProbe');
      expect(agent).to.have.nested.property('resources.requests');
      expect(mountsOf(agent)).to.include.members(['istio-data', 'istio-xds', 'istio-token']);
    },
  },
];

const WAYPOINT_VALUES: JsonObject = {
  affinity: { nodeAffinity: {} },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'k', operator: 'Exists' }],
};

const GATEWAYS: readonly Switch[] = [
  {
    given: gatewayCase(
      'waypoint is scheduled as values want',
      'istio-waypoint',
      {},
      { values: { global: { waypoint: WAYPOINT_VALUES } } },
    ),
    verify: (objects) => expect(podSpecOf(objects)).to.deep.include(WAYPOINT_VALUES),
  },
  {
    given: gatewayCase(
      'waypoint has no resources when values have none',
      'istio-waypoint',
      {},
      {
        values: { global: { waypoint: { resources: { requests: null, limits: null } } } },
      },
    ),
    verify: (objects) => expect(containerOf(objects, 'istio-proxy')).not.to.have.property('resources'),
  },
  {
    given: gatewayCase(
      'waypoint has the seccomp profile of gateways',
      'istio-waypoint',
      {},
      { values: { gateways: { seccompProfile: { type: 'RuntimeDefault' } } } },
    ),
    verify: (objects) =>
      expect(at(containerOf(objects, 'istio-proxy'), 'securityContext', 'seccompProfile', 'type')).to.equal(
        'RuntimeDefault',
      ),
  },
  {
    given: gatewayCase('agentgateway runs the image that the Gateway names', 'istio-agentgateway', {
      annotations: { 'gateway.istio.io/agentgatewayImage': 'r.example/own:1' },
      metadata: { labels: { 'topology.istio.io/network': 'net-l' } },
    }),
    verify: (objects) => {
      const agent = containerOf(objects, 'agentgateway');
      expect(agent['image']).to.equal('r.example/own:1');
      expect(environmentOf(agent)['NETWORK']).to.equal('net-l');
    },
  },
  {
    given: gatewayCase('kube-gateway has no address where it is no load balancer', 'istio', {
      annotations: { 'networking.istio.io/service-type': 'NodePort' },
    }),
    verify: (objects) => {
      const spec = mapAt(onlyOne(objects, 'Service'), 'spec');
      expect(spec['type']).to.equal('NodePort');
      expect(spec).not.to.have.property('loadBalancerIP');
    },
  },
];

export const SWITCHES: readonly Switch[] = [...CERTIFICATES, ...SIDECAR, ...GRPC, ...GATEWAYS];
