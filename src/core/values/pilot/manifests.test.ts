import { expect } from 'chai';
import type { JsonObject } from '../../../model/json.ts';
import type { TestPlanner } from '../../testing/planning.ts';
import { testPlanner } from '../../testing/planning.ts';

const NAMESPACED = [
  'ServiceAccount istio-system/istiod',
  'Role istio-system/istiod',
  'RoleBinding istio-system/istiod',
];
const CLUSTER_ROLES = [
  'ClusterRole istio-reader-clusterrole-istio-system',
  'ClusterRole istiod-clusterrole-istio-system',
  'ClusterRole istiod-gateway-controller-istio-system',
  'ClusterRoleBinding istio-reader-clusterrole-istio-system',
  'ClusterRoleBinding istiod-clusterrole-istio-system',
  'ClusterRoleBinding istiod-gateway-controller-istio-system',
];
const READER = CLUSTER_ROLES.filter((name) => name.includes('reader'));
const CONFIGURATION = [
  'ConfigMap istio-system/istio',
  'ConfigMap istio-system/istio-sidecar-injector',
  'ConfigMap istio-system/values',
];
const WORKLOAD = [
  'Service istio-system/istiod',
  'Deployment istio-system/istiod',
  'HorizontalPodAutoscaler istio-system/istiod',
];
const INJECTOR = 'MutatingWebhookConfiguration istio-sidecar-injector';
const VALIDATOR = 'ValidatingWebhookConfiguration istio-validator-istio-system';
const DEFAULT = [...NAMESPACED, ...CLUSTER_ROLES, ...CONFIGURATION, ...WORKLOAD, INJECTOR, VALIDATOR];

describe('pilotManifests', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  /** What is rendered for istiod alone. */
  function names(values: JsonObject, spec: JsonObject = {}): readonly string[] {
    const components = { base: { enabled: false }, pilot: { enabled: true } };
    return planner.names({ profile: 'empty', components, values, ...spec });
  }

  it('renders a control plane with its rights, configuration and webhooks', () => {
    expect(names({})).to.have.members(DEFAULT);
  });

  it('puts the revision into every name', () => {
    const revised = names({}, { revision: 'canary' });

    expect(revised.filter((name) => !name.includes('-canary'))).to.deep.equal([]);
    expect(revised).to.have.length(DEFAULT.length);
  });

  describe('in a cluster whose control plane is elsewhere', () => {
    const remote = (values: JsonObject): JsonObject => ({ profile: 'remote', ...values });
    const local = [...NAMESPACED, ...CLUSTER_ROLES, VALIDATOR];

    it('renders what injection and a remote reader need', () => {
      expect(names(remote({}))).to.have.members([...READER, 'ConfigMap istio-system/values', INJECTOR]);
    });

    it('leads to a control plane with an address by endpoints, to one with a name by an alias', () => {
      const at = (remotePilotAddress: string) => names(remote({ global: { remotePilotAddress } }));

      expect(at('10.0.0.1')).to.include.members([
        'Service istio-system/istiod',
        'EndpointSlice istio-system/istiod',
      ]);
      expect(at('a.example.com')).to.include('Service istio-system/istiod');
      expect(at('a.example.com')).to.not.include('EndpointSlice istio-system/istiod');
    });

    it('renders the rights of a control plane that keeps its configuration here', () => {
      expect(names(remote({ global: { configCluster: true } }))).to.have.members([
        ...local,
        'ConfigMap istio-system/values',
        INJECTOR,
      ]);
    });

    it('renders a local injector under its own name beside the remote control plane', () => {
      const values = remote({
        global: { remotePilotAddress: '10.0.0.1' },
        istiodRemote: { enabledLocalInjectorIstiod: true },
      });

      expect(names(values)).to.have.members([
        ...local,
        ...WORKLOAD,
        'ConfigMap istio-system/values',
        INJECTOR,
        'Service istio-system/istiod-remote',
        'EndpointSlice istio-system/istiod-remote',
      ]);
    });
  });

  describe('for one scope', () => {
    it('renders what is cluster-scoped, or what is not', () => {
      const cluster = names({ global: { resourceScope: 'cluster' } });
      const namespace = names({ global: { resourceScope: 'namespace' } });

      expect(cluster).to.have.members([...CLUSTER_ROLES, INJECTOR, VALIDATOR]);
      expect([...cluster, ...namespace]).to.have.members(DEFAULT);
    });
  });

  it('renders a budget when more than one replica always runs', () => {
    const budget = 'PodDisruptionBudget istio-system/istiod';

    expect(names({ pilot: { autoscaleMin: 2 } })).to.include(budget);
    expect(
      names({ pilot: { autoscaleMin: 2 }, global: { defaultPodDisruptionBudget: { enabled: false } } }),
    ).to.not.include(budget);
  });

  it('renders a webhook and a Service for each tag', () => {
    expect(
      names({ revisionTags: ['prod', 'default'] }).filter((name) => name.includes('-tag-')),
    ).to.have.members([
      'MutatingWebhookConfiguration istio-revision-tag-prod',
      'MutatingWebhookConfiguration istio-revision-tag-default',
      'Service istio-system/istiod-revision-tag-prod',
      'Service istio-system/istiod-revision-tag-default',
    ]);
  });

  it('leaves the webhooks to somebody else, but not the Services of tags', () => {
    const values = { revisionTags: ['prod'], global: { operatorManageWebhooks: true } };

    expect(names(values)).to.have.members([
      ...DEFAULT.filter((name) => name !== INJECTOR),
      'Service istio-system/istiod-revision-tag-prod',
    ]);
  });

  it('renders optional objects when they are asked for, and leaves out what is not wanted', () => {
    const without = (values: JsonObject) => DEFAULT.filter((name) => !names(values).includes(name));
    const added = (values: JsonObject) => names(values).filter((name) => !DEFAULT.includes(name));

    expect(without({ global: { configValidation: false } })).to.deep.equal([VALIDATOR]);
    expect(without({ global: { enableReaderRBAC: false } })).to.deep.equal(READER);
    expect(without({ global: { omitSidecarInjectorConfigMap: true } })).to.deep.equal([
      'ConfigMap istio-system/istio-sidecar-injector',
    ]);
    expect(without({ pilot: { configMap: false } })).to.deep.equal(['ConfigMap istio-system/istio']);
    expect(without({ pilot: { autoscaleEnabled: false } })).to.deep.equal([
      'HorizontalPodAutoscaler istio-system/istiod',
    ]);
    expect(
      without({ pilot: { env: { PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: 'false' } } }),
    ).to.deep.equal(CLUSTER_ROLES.filter((name) => name.includes('gateway-controller')));
    expect(added({ global: { networkPolicy: { enabled: true } } })).to.deep.equal([
      'NetworkPolicy istio-system/istiod',
    ]);
    expect(added({ gatewayClasses: { istio: {} } })).to.deep.equal([
      'ConfigMap istio-system/istio-default-gatewayclass-istio',
    ]);
    expect(added({ pilot: { jwksResolverExtraRootCA: 'PEM' } })).to.deep.equal([
      'ConfigMap istio-system/pilot-jwks-extra-cacerts',
    ]);
    expect(added({ experimental: { stableValidationPolicy: true } })).to.deep.equal([
      'ValidatingAdmissionPolicy stable-channel-policy-istio-system.istio.io',
      'ValidatingAdmissionPolicyBinding stable-channel-policy-binding-istio-system.istio.io',
    ]);
  });

  it('carries the namespace in names of webhooks outside of istio-system', () => {
    expect(
      names({ global: { istioNamespace: 'mesh' } }).filter((name) => name.includes('Webhook')),
    ).to.deep.equal([
      'MutatingWebhookConfiguration istio-sidecar-injector-mesh',
      'ValidatingWebhookConfiguration istio-validator-mesh',
    ]);
  });
});
