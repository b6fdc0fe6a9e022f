/** What the API server makes of the definition of IstioOperator; docs/crd.md is the text to these tests. */
import { expect } from 'chai';
import { Agent, request } from 'undici';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import type { OperatorStatus } from '../../src/model/status.ts';
import type { ApiResponse } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import { apply, pathOf, readObjects } from '../deploy/manifests.ts';
import { eventually } from '../operator/resources.ts';

const NAMESPACE = 'crd-e2e';
const RESOURCES = `/apis/install.istio.io/v1alpha1/namespaces/${NAMESPACE}/istiooperators`;

/** A null in every kind of place where one can mean "delete what is rendered". */
const NULLS: JsonObject = {
  profile: null,
  meshConfig: { trustDomain: null },
  components: {
    base: null,
    egressGateways: null,
    ingressGateways: [{ name: 'edge', enabled: null, label: { istio: null } }],
    pilot: {
      enabled: null,
      tag: null,
      k8s: {
        affinity: { nodeAffinity: null },
        env: [{ name: 'A', value: null, valueFrom: { fieldRef: null } }],
        hpaSpec: { metrics: null },
        nodeSelector: { zone: null },
        overlays: [{ kind: 'Deployment', name: 'istiod', patches: [{ path: 'spec.replicas', value: null }] }],
        podAnnotations: null,
        readinessProbe: { httpGet: null },
        resources: { limits: { cpu: null } },
        service: { ports: [{ port: 80, targetPort: null }] },
        strategy: { rollingUpdate: null },
        tolerations: null,
      },
    },
  },
  values: { pilot: { env: null } },
};

/** A misspelt or outdated field on every level that knows its fields. */
const UNKNOWN_FIELDS: JsonObject = {
  profil: 'demo',
  components: {
    policy: { enabled: true },
    pilot: { enabld: true, k8s: { resorces: {}, service: { port: [] }, strategy: { typ: 'Recreate' } } },
    ingressGateways: [{ nam: 'edge', k8s: { env: [{ nmae: 'A' }] } }],
  },
};

const STATUS: OperatorStatus = {
  status: 'ERROR',
  message: 'Deployment istio-system/istiod is not available',
  observedGeneration: 1,
  profile: 'demo',
  revision: 'canary',
  version: '1.30.3',
  componentStatus: { Pilot: { status: 'ERROR', version: '1.30.3', error: 'not available' } },
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      observedGeneration: 1,
      lastTransitionTime: '2026-11-21T05:00:00Z',
      reason: 'NotReady',
      message: 'Deployment istio-system/istiod is not available',
    },
  ],
  inventory: [
    { apiVersion: 'v1', kind: 'Service', namespace: 'istio-system', name: 'istiod', uid: 'a-b-c' },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'istiod' },
  ],
};
const FULL_STATUS = STATUS as unknown as JsonObject; // plain data, but an interface has no index signature

describe('the definition of IstioOperator', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await sharedControlPlane();
    for (const object of [namespace(), ...(await readObjects('crd.yaml'))]) {
      expect((await apply(plane.api, object)).status, pathOf(object)).to.be.oneOf([200, 201]);
    }
    await eventually('the definition is established', async () =>
      (await conditions()).includes('Established=True'),
    );
  });

  after(async () => {
    await plane.api.request('DELETE', `/api/v1/namespaces/${NAMESPACE}`);
  });

  afterEach(async () => {
    await plane.api.request('DELETE', RESOURCES);
  });

  it('has a structural schema and free names', async () => {
    expect(await conditions()).to.have.members(['NamesAccepted=True', 'Established=True']);
  });

  it('is what kubectl explain reads', async () => {
    const schema = await eventually('the schema is published', async () => {
      const { body } = await plane.api.request('GET', '/openapi/v3/apis/install.istio.io/v1alpha1');
      return at(body, 'components', 'schemas', 'io.istio.install.v1alpha1.IstioOperator');
    });

    const fields = ['spec', 'components', 'pilot', 'k8s', 'resources', 'requests'];
    const path = fields.flatMap((name) => ['properties', name]);
    expect(stringAt(schema, ...path, 'description')).to.match(/^What is reserved by resource/);
  });

  it('keeps every null', async () => {
    const created = await create(NULLS);

    expect(at(created.body, 'spec')).to.deep.equal(NULLS);
  });

  it('keeps unknown fields on every level, so that the operator can report them', async () => {
    const created = await create(UNKNOWN_FIELDS);

    expect(at(created.body, 'spec')).to.deep.equal(UNKNOWN_FIELDS);
  });

  it('accepts a resource without a specification, or with a null for one', async () => {
    for (const spec of [undefined, null]) {
      const created = await create(spec, spec === null ? 'null' : 'absent');
      expect(created.status).to.equal(201);
    }
  });

  for (const tag of ['1.30', 1.3, 123]) {
    it(`accepts the tag ${JSON.stringify(tag)}`, async () => {
      const created = await create({ tag, components: { pilot: { tag } } });

      expect(at(created.body, 'spec', 'tag')).to.equal(tag);
      expect(at(created.body, 'spec', 'components', 'pilot', 'tag')).to.equal(tag);
    });
  }

  it('leaves to the status what the operator can explain better', async () => {
    const created = await create({
      profile: 'dmeo',
      components: { ingressGateways: [{ enabled: true }, { name: '', enabled: true }] },
      values: { pilot: { autoscaleMin: 'two' } },
    });

    expect(created.status).to.equal(201);
  });

  const REFUSED: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
    'a revision that cannot be part of a name': [
      { revision: 'Canary_1' },
      /spec\.revision: .*"Canary_1" can not be part of the names of objects/,
    ],
    'a revision that is too long': [{ revision: 'a'.repeat(64) }, /spec\.revision: Too long/],
    'a gateway name that no object can have': [
      { components: { egressGateways: [{ name: 'Edge Gateway' }] } },
      /spec\.components\.egressGateways\[0\]\.name: .*can not be the name of an object/,
    ],
    'a wrong type': [
      { components: { pilot: { enabled: 'yes' } } },
      /spec\.components\.pilot\.enabled: .*must be of type boolean/,
    ],
    'a tag that is a map': [{ tag: { name: '1.30' } }, /spec\.tag: Too many/],
    'a quantity that is a list': [
      { components: { cni: { k8s: { resources: { limits: { cpu: [1] } } } } } },
      /spec\.components\.cni\.k8s\.resources\.limits\.cpu: Too many/,
    ],
    'a negative number of pods': [
      { components: { pilot: { k8s: { replicaCount: -1 } } } },
      /spec\.components\.pilot\.k8s\.replicaCount: .*greater than or equal to 0/,
    ],
  };

  for (const [mistake, [spec, message]] of Object.entries(REFUSED)) {
    it(`refuses ${mistake}`, async () => {
      const refused = await create(spec);

      expect(refused.status).to.equal(422);
      expect(stringAt(refused.body, 'message')).to.match(message);
    });
  }

  it('refuses a name that is no label value, but only on creation', async () => {
    const refused = await create({}, 'a'.repeat(64));

    expect(refused.status).to.equal(422);
    expect(stringAt(refused.body, 'message')).to.match(/metadata\.name: .*longer than 63 characters/);
  });

  it('stores the whole status, and only through its subresource', async () => {
    await create({ profile: 'demo' });

    await plane.api.request(
      'PATCH',
      `${RESOURCES}/mesh`,
      { status: FULL_STATUS },
      'application/merge-patch+json',
    );
    const untouched = await plane.api.request('GET', `${RESOURCES}/mesh`);
    const written = await plane.api.request(
      'PATCH',
      `${RESOURCES}/mesh/status`,
      { status: FULL_STATUS, spec: { profile: 'minimal' } },
      'application/merge-patch+json',
    );

    expect(
      listAt(untouched.body, 'status', 'conditions').map((condition) => at(condition, 'reason')),
    ).to.deep.equal(['Pending']);
    expect(at(written.body, 'status')).to.deep.equal(FULL_STATUS);
    expect(at(written.body, 'spec', 'profile')).to.equal('demo');
    expect(at(written.body, 'metadata', 'generation')).to.equal(1);
  });

  it('prints the columns that people look for', async () => {
    await create({ profile: 'demo' });
    await plane.api.request(
      'PATCH',
      `${RESOURCES}/mesh/status`,
      { status: FULL_STATUS },
      'application/merge-patch+json',
    );

    const table = await tableOf(plane, RESOURCES);

    const columns = listAt(table, 'columnDefinitions').map((column) => [
      at(column, 'name'),
      at(column, 'priority'),
    ]);
    const cells = listAt(table, 'rows', 0, 'cells');
    expect(columns).to.deep.equal([
      ['Name', 0],
      ['Profile', 0],
      ['Revision', 0],
      ['Version', 0],
      ['Status', 0],
      ['Ready', 0],
      ['Reason', 0],
      ['Age', 0],
      ['Message', 1],
    ]);
    expect(cells.toSpliced(7, 1)).to.deep.equal([
      'mesh',
      'demo',
      'canary',
      '1.30.3',
      'ERROR',
      'False',
      'NotReady',
      'Deployment istio-system/istiod is not available',
    ]);
  });

  async function conditions(): Promise<readonly string[]> {
    const { body } = await plane.api.request('GET', pathOf(definitionRef()));
    return listAt(body, 'status', 'conditions').map(
      (condition) => `${stringAt(condition, 'type')}=${stringAt(condition, 'status')}`,
    );
  }

  async function create(spec: JsonValue | undefined, name = 'mesh'): Promise<ApiResponse> {
    const resource = {
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: { name },
      ...(spec === undefined ? {} : { spec }),
    };
    return plane.api.request('POST', `${RESOURCES}?fieldValidation=Strict`, resource);
  }
});

function namespace(): K8sObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
}

function definitionRef(): K8sObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'istiooperators.install.istio.io' },
  };
}

/** What kubectl asks for to print a list. */
async function tableOf(plane: ControlPlane, path: string): Promise<JsonValue> {
  const dispatcher = new Agent({ connect: { ca: plane.certificateAuthority } });
  try {
    const { body } = await request(`${plane.server}${path}`, {
      dispatcher,
      headers: {
        authorization: `Bearer ${plane.adminToken}`,
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
      },
    });
    return (await body.json()) as JsonValue; // the API server answers in JSON
  } finally {
    await dispatcher.close();
  }
}
