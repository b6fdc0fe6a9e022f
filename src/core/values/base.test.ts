import { expect } from 'chai';
import type { JsonObject } from '../../model/json.ts';
import { DEFAULT_RELEASE } from '../releases.ts';
import type { TestPlanner } from '../testing/planning.ts';
import { testPlanner } from '../testing/planning.ts';
import { object } from '../testing/objects.ts';
import { definitions } from './base.ts';

const READER = 'ServiceAccount istio-system/istio-reader-service-account';
const VALIDATOR = 'ValidatingWebhookConfiguration istiod-default-validator';

describe('baseManifests', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  function spec(values: JsonObject): JsonObject {
    return { profile: 'empty', components: { base: { enabled: true } }, values };
  }

  it('renders the account of remote readers, and no validator unless a default revision is named', () => {
    expect(planner.names(spec({}))).to.deep.equal([READER]);
    expect(planner.names(spec({ defaultRevision: 'default' }))).to.deep.equal([READER, VALIDATOR]);
  });

  it('asks the istiod of the default revision', () => {
    const service = (defaultRevision: string) =>
      planner.field(spec({ defaultRevision }), VALIDATOR, 'webhooks', 0, 'clientConfig', 'service', 'name');

    expect([service('default'), service('canary')]).to.deep.equal(['istiod', 'istiod-canary']);
  });

  it('renders the stable channel for the default revision', () => {
    const experimental = { stableValidationPolicy: true };

    expect(planner.names(spec({ experimental, defaultRevision: 'default' }))).to.deep.equal([
      READER,
      'ValidatingAdmissionPolicy stable-channel-default-policy.istio.io',
      'ValidatingAdmissionPolicyBinding stable-channel-default-policy-binding.istio.io',
      VALIDATOR,
    ]);
    expect(planner.names(spec({ experimental }))).to.deep.equal([READER]);
  });

  it('leaves out the account when nobody reads from elsewhere', () => {
    expect(planner.names(spec({ global: { enableReaderRBAC: false } }))).to.deep.equal([]);
  });

  it('renders what is cluster-scoped, or what is not', () => {
    const names = (resourceScope: string) =>
      planner.names(spec({ defaultRevision: 'default', global: { resourceScope } }));

    expect([names('cluster'), names('namespace')]).to.deep.equal([[VALIDATOR], [READER]]);
  });
});

describe('definitions', () => {
  const CRDS = [
    object('CustomResourceDefinition', 'gateways.networking.istio.io', { spec: { a: 1 } }),
    object('CustomResourceDefinition', 'peerauthentications.security.istio.io'),
  ];

  function labelled(base: JsonObject, resourceScope = 'all') {
    const input = {
      values: { base, global: { resourceScope } },
      givenValues: {},
      namespace: 'istio-system',
      release: DEFAULT_RELEASE,
      kubernetesVersion: 'v1.32.0',
      injectionTemplates: {},
      files: new Map(),
    };
    return definitions(input, CRDS);
  }

  it('gives them the labels of this installation and shares their schemas', () => {
    const [first] = labelled({ enableCRDTemplates: true });

    expect(first?.metadata['labels']).to.deep.equal({
      'app.kubernetes.io/managed-by': 'istio-operator',
      'app.kubernetes.io/instance': 'istio',
      'app.kubernetes.io/part-of': 'istio',
      'app.kubernetes.io/version': '1.30.3',
    });
    expect(first?.['spec']).to.equal(CRDS[0]?.['spec']);
  });

  it('leaves out those that are excluded', () => {
    const excludedCRDs = ['gateways.networking.istio.io'];

    expect(
      labelled({ enableCRDTemplates: true, excludedCRDs }).map(({ metadata }) => metadata.name),
    ).to.deep.equal(['peerauthentications.security.istio.io']);
  });

  it('gives them their old labels, and excludes none, when they are not templated', () => {
    const excludedCRDs = ['gateways.networking.istio.io'];
    const labels = { app: 'istio-pilot', chart: 'istio', heritage: 'Tiller', release: 'istio' };

    expect(
      labelled({ enableCRDTemplates: false, excludedCRDs }).map(({ metadata }) => metadata['labels']),
    ).to.deep.equal([labels, { ...labels, istio: 'security' }]);
  });

  it('has none for the scope of a namespace', () => {
    expect(labelled({ enableCRDTemplates: true }, 'namespace')).to.deep.equal([]);
  });
});
