/** The engine on a real API server, with the objects that real istioctl renders for the demo profile. */
import { expect } from 'chai';
import { readinessOf } from '../../src/apply/readiness.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, listAt, mapAt, stringAt } from '../../src/model/json.ts';
import type { K8sObject, ObjectRef } from '../../src/model/object.ts';
import {
  annotationsOf,
  displayRef,
  identityOf,
  isK8sObject,
  labelsOf,
  refOf,
} from '../../src/model/object.ts';
import type { Plan } from '../../src/model/plan.ts';
import { objectsOf } from '../../src/model/plan.ts';
import type { ApplyReport, Change } from '../../src/model/report.ts';
import type { ApiResponse, Method } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import type { Edit } from './demo-installation.ts';
import { DEFINITION, demoPlan, NAMESPACE, planOf } from './demo-installation.ts';
import { EngineSession } from './engine-session.ts';

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const SERVICES = `/api/v1/namespaces/${NAMESPACE}/services`;
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1';
const signal = new AbortController().signal;

const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

const JSON_BODY = 'application/json';
const APPLY = 'application/apply-patch+yaml';

/** By which managers, and in which ways, objects come into clusters that an operator takes over. */
const INSTALLERS = [
  { installer: 'kubectl apply', manager: 'kubectl-client-side-apply', contentType: JSON_BODY },
  { installer: 'kubectl apply --server-side', manager: 'kubectl', contentType: APPLY },
  { installer: 'Helm 3', manager: 'helm', contentType: JSON_BODY },
  { installer: 'Helm 4', manager: 'helm', contentType: APPLY },
  { installer: 'istioctl', manager: 'istioctl', contentType: APPLY },
] as const;

interface ImmutableChange {
  readonly what: string;
  readonly kind: string;
  readonly name: string;
  readonly edit: (object: K8sObject) => K8sObject;
}

const IMMUTABLE_CHANGES: readonly ImmutableChange[] = [
  {
    what: 'a Deployment',
    kind: 'Deployment',
    name: 'istiod',
    edit: (deployment) => {
      // More labels than the Service of istiod selects, so that its endpoints stay.
      const labels = { ...mapAt(deployment, 'spec', 'selector', 'matchLabels'), variant: 'other' };
      const template = mapAt(deployment, 'spec', 'template');
      const metadata = {
        ...mapAt(template, 'metadata'),
        labels: { ...mapAt(template, 'metadata', 'labels'), ...labels },
      };
      return withSpec(deployment, { selector: { matchLabels: labels }, template: { ...template, metadata } });
    },
  },
  {
    what: 'a RoleBinding',
    kind: 'RoleBinding',
    name: 'istiod',
    edit: (binding) => ({
      ...binding,
      roleRef: { ...mapAt(binding, 'roleRef'), name: 'istio-ingressgateway-sds' },
    }),
  },
];

/** Each makes an item of a list of its own, since ports are known by number and protocol, with the name of ours. */
const EDITED_PORTS = [
  {
    what: 'its number',
    change: [{ op: 'replace', path: 'port', value: 15099 }],
    field: 'spec.ports[port=443,protocol=TCP]',
  },
  {
    what: 'its protocol',
    change: [{ op: 'replace', path: 'protocol', value: 'UDP' }],
    field: 'spec.ports[port=443,protocol=TCP]',
  },
] as const;

const AUTOSCALER: K8sObject = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'istiod', namespace: NAMESPACE, labels: { 'operator.istio.io/component': 'Pilot' } },
  spec: {
    minReplicas: 1,
    maxReplicas: 5,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'istiod' },
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  },
};

describe('the engine on a real API server', () => {
  let plane: ControlPlane;
  let session: EngineSession;
  const plan = demoPlan();

  before(async () => {
    plane = await sharedControlPlane();
    session = await EngineSession.start(plane);
  });

  after(async () => {
    await session.delete();
    await session.close();
    await plane.api.request('DELETE', `/api/v1/namespaces/${NAMESPACE}`);
    await plane.api.request(
      'DELETE',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${DEFINITION.metadata.name}`,
    );
  });

  it('creates everything, in a namespace that it makes, and waits until all of it works', async () => {
    const report = await session.apply(plan);

    expect(problemsOf(report)).to.deep.equal([]);
    expect(actionsOf(report)).to.deep.equal(['created']);
    expect(report.changes).to.have.length(objectsOf(plan).length);
    expect(
      labelsOf((await live({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE })) as K8sObject),
    ).to.include(plan.namespaceLabels);
  });

  it('records the inventory before it writes, without definitions and namespaces, and knows the uids after', () => {
    const kinds = new Set(session.recorded[0]?.map(({ kind }) => kind));

    expect(session.recorded).to.have.length(1);
    expect(session.recorded[0]).to.have.length(objectsOf(plan).length - 1);
    expect([...kinds]).not.to.include.members(['CustomResourceDefinition']);
    expect(session.inventory.map(identityOf)).to.deep.equal(session.recorded[0]?.map(identityOf));
    expect(session.inventory.every(({ uid }) => uid !== undefined)).to.equal(true);
  });

  it('writes nothing at rest, not even a dry run, and neither after a restart', async () => {
    const before = await session.writes();

    const second = await session.apply(plan);
    session.restart();
    const third = await session.apply(plan);

    expect([actionsOf(second), actionsOf(third)]).to.deep.equal([['unchanged'], ['unchanged']]);
    expect((await session.writes()).slice(before.length)).to.deep.equal([]);
    expect(session.recorded).to.deep.equal([]);
  });

  it('repairs an edited field and tells which field and who', async () => {
    const container = { name: 'discovery', image: 'evil/pilot:latest' };
    await call('PATCH', `${DEPLOYMENTS}/istiod?fieldManager=kubectl-edit`, podTemplate(container), STRATEGIC);

    const report = await session.apply(plan);

    expect(changedIn(report)).to.deep.equal([
      {
        ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name: 'istiod' },
        action: 'configured',
        fields: ['spec.template.spec.containers[name=discovery].image'],
        changedBy: ['kubectl-edit'],
      },
    ]);
  });

  it('restores a list that somebody put into another order', async () => {
    const path = `${DEPLOYMENTS}/istio-ingressgateway`;
    const deployment = (await call('GET', path)).body;
    const [container] = listAt(deployment, 'spec', 'template', 'spec', 'containers');
    const env = listAt(container, 'env').toReversed();
    await call(
      'PATCH',
      `${path}?fieldManager=kubectl-edit`,
      [{ op: 'replace', path: '/spec/template/spec/containers/0/env', value: env }],
      JSON_PATCH,
    );

    const report = await session.apply(plan);

    expect(changedIn(report).map(({ fields }) => fields)).to.deep.equal([
      ['spec.template.spec.containers[name=istio-proxy].env'],
    ]);
    expect(actionsOf(await session.apply(plan))).to.deep.equal(['unchanged']);
  });

  it('repairs a removed field', async () => {
    await call('PATCH', `${CONFIG_MAPS}/istio?fieldManager=kubectl-edit`, { data: { mesh: null } }, MERGE);

    const report = await session.apply(plan);

    expect(changedIn(report).map(({ ref, fields }) => [ref.name, fields])).to.deep.equal([
      ['istio', ['data.mesh']],
    ]);
  });

  it('creates a deleted object anew', async () => {
    await call('DELETE', `/api/v1/namespaces/${NAMESPACE}/services/istiod`);

    const report = await session.apply(plan);

    expect(changedIn(report).map(({ ref, action }) => [ref.name, action])).to.deep.equal([
      ['istiod', 'created'],
    ]);
  });

  it('leaves alone what others add', async () => {
    const patch = { metadata: { annotations: { 'example.com/note': 'mine' } }, data: { extra: 'mine' } };
    await call('PATCH', `${CONFIG_MAPS}/istio?fieldManager=kubectl-annotate`, patch, MERGE);
    const before = await session.writes();

    const report = await session.apply(plan);

    expect(actionsOf(report)).to.deep.equal(['unchanged']);
    expect(await session.writes()).to.deep.equal(before);
    expect(stringAt((await call('GET', `${CONFIG_MAPS}/istio`)).body, 'data', 'extra')).to.equal('mine');
  });

  it('leaves to istiod what istiod sets in the webhooks', async () => {
    const bundle = Buffer.from('a certificate').toString('base64');
    await patchWebhooks('mutatingwebhookconfigurations', `istio-sidecar-injector-${NAMESPACE}`, () => ({
      clientConfig: { caBundle: bundle },
    }));
    const validator = await patchWebhooks(
      'validatingwebhookconfigurations',
      `istio-validator-${NAMESPACE}`,
      () => ({
        clientConfig: { caBundle: bundle },
        failurePolicy: 'Fail',
      }),
    );
    const before = await session.writes();

    const report = await session.apply(plan);

    expect(actionsOf(report)).to.deep.equal(['unchanged']);
    expect(await session.writes()).to.deep.equal(before);
    const kept = (await call('GET', validator)).body;
    expect(at(kept, 'webhooks', 0, 'clientConfig', 'caBundle')).to.equal(bundle);
    expect(at(kept, 'webhooks', 0, 'failurePolicy')).to.equal('Fail');
  });

  for (const { what, change, field } of EDITED_PORTS) {
    it(`gives a port back ${what} that somebody changed, and leaves one that was added`, async () => {
      const path = `${SERVICES}/istio-ingressgateway`;
      const before = (await call('GET', path)).body;
      const ports = listAt(before, 'spec', 'ports');
      const index = ports.findIndex((port) => at(port, 'name') === 'https');
      const added = { name: 'mine', port: 16000, protocol: 'TCP', targetPort: 16000, nodePort: 31999 };
      const edits = [
        ...change.map(({ path: name, ...patch }) => ({ ...patch, path: `/spec/ports/${index}/${name}` })),
        { op: 'add', path: '/spec/ports/-', value: added },
      ];
      await call('PATCH', `${path}?fieldManager=kubectl-edit`, edits, JSON_PATCH);
      const writes = await session.writes();

      const report = await session.apply(plan);

      expect(problemsOf(report)).to.deep.equal([]);
      expect(changedIn(report).map(({ fields, changedBy }) => [fields, changedBy])).to.deep.equal([
        [[field], ['kubectl-edit']],
      ]);
      const after = (await call('GET', path)).body;
      expect(listAt(after, 'spec', 'ports')).to.have.deep.members([...ports, added]);
      expect(at(after, 'spec', 'clusterIP')).to.equal(at(before, 'spec', 'clusterIP'));
      expect((await session.writes()).slice(writes.length)).to.have.length(2);
      expect(actionsOf(await session.apply(plan))).to.deep.equal(['unchanged']);
      await call('PATCH', path, { spec: { ports: [...ports] } }, MERGE);
    });
  }

  it('gives the port of a container its number back', async () => {
    const path = `${DEPLOYMENTS}/istiod`;
    const ports = async (): Promise<JsonValue | undefined> =>
      at((await call('GET', path)).body, 'spec', 'template', 'spec', 'containers', 0, 'ports');
    const before = await ports();
    const place = `/spec/template/spec/containers/0/ports/${listAt(before).findIndex((port) => at(port, 'name') !== undefined)}`;
    const patch = [{ op: 'replace', path: `${place}/containerPort`, value: 15099 }];
    await call('PATCH', `${path}?fieldManager=kubectl-edit`, patch, JSON_PATCH);

    const report = await session.apply(plan);

    expect(problemsOf(report)).to.deep.equal([]);
    expect(await ports()).to.deep.equal(before);
  });

  it('keeps node ports that the API server chose, also when the Service changes', async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}/services/istio-ingressgateway`;
    const nodePorts = async (): Promise<readonly JsonValue[]> =>
      listAt((await call('GET', path)).body, 'spec', 'ports').map((port) => at(port, 'nodePort') ?? null);
    const before = await nodePorts();

    const report = await session.apply(
      edited('Service', 'istio-ingressgateway', (service) => withLabel(service, 'x', 'y')),
    );

    expect(changedIn(report)).to.have.length(1);
    expect(await nodePorts()).to.deep.equal(before);
  });

  it('removes a field that is no longer in the plan', async () => {
    const report = await session.apply(plan);

    expect(changedIn(report).map(({ fields, changedBy }) => [fields, changedBy])).to.deep.equal([
      [['metadata.labels.x'], []],
    ]);
    expect(actionsOf(await session.apply(plan))).to.deep.equal(['unchanged']);
  });

  it('leaves the replicas to an autoscaler, and takes them back when autoscaling is turned off', async () => {
    const scaled = demoPlan(withoutReplicas, [AUTOSCALER]);
    await session.apply(scaled);
    await scale(3);
    const before = await session.writes();

    const whileScaled = await session.apply(scaled);
    const writesWhileScaled = (await session.writes()).slice(before.length);
    const after = await session.apply(plan);
    const settled = await session.apply(plan);

    expect(actionsOf(whileScaled)).to.deep.equal(['unchanged']);
    expect(writesWhileScaled).to.deep.equal([]);
    expect(changedIn(after).map(({ ref, action, fields }) => [ref.kind, action, fields])).to.deep.equal([
      ['Deployment', 'configured', ['spec.replicas']],
      ['HorizontalPodAutoscaler', 'pruned', []],
    ]);
    expect(at((await call('GET', `${DEPLOYMENTS}/istiod`)).body, 'spec', 'replicas')).to.equal(1);
    expect(actionsOf(settled)).to.deep.equal(['unchanged']);
  });

  it('does not let the replicas fall to one when autoscaling is turned on', async () => {
    await session.apply(edited('Deployment', 'istiod', (deployment) => withReplicas(deployment, 2)));

    await session.apply(demoPlan(withoutReplicas, [AUTOSCALER]));

    expect(at((await call('GET', `${DEPLOYMENTS}/istiod`)).body, 'spec', 'replicas')).to.equal(2);
    await session.apply(plan);
  });

  for (const { what, kind, name, edit } of IMMUTABLE_CHANGES) {
    it(`makes ${what} anew, since the field is immutable`, async () => {
      const report = await session.apply(edited(kind, name, edit));

      expect(problemsOf(report)).to.deep.equal([]);
      expect(changedIn(report).map(({ ref, recreated }) => [displayRef(ref), recreated])).to.deep.equal([
        [`${kind} ${NAMESPACE}/${name}`, true],
      ]);
      await session.apply(plan);
    });
  }

  it('never makes a Service anew: its addresses would be lost', async () => {
    const address = edited('Service', 'istiod', (service) =>
      withSpec(service, { clusterIP: '10.0.200.200' }),
    );

    const report = await session.apply(address);

    expect(report.components.get('Pilot')).to.deep.include({ kind: 'failed', retryable: false });
    expect(problemsOf(report)[0]).to.match(/Service engine-e2e\/istiod: .*spec\.clusterIPs/);
    await session.apply(plan);
  });

  it('tells what is wrong with an object, keeps its dependents untouched and prunes nothing', async () => {
    const broken = demoPlan((object) => {
      if (object.kind === 'Deployment' && object.metadata.name === 'istiod')
        return withSpec(object, { replicas: -1 });
      return object.metadata.name === 'istio-egressgateway' ? undefined : object;
    });

    const report = await session.apply(broken);

    const kinds = [...report.components].map(([name, { kind }]) => [name, kind]);
    expect(Object.fromEntries(kinds)).to.deep.equal({
      Base: 'ready',
      Pilot: 'failed',
      IngressGateways: 'skipped',
      EgressGateways: 'skipped',
    });
    expect(problemsOf(report)[0]).to.match(
      /^Deployment engine-e2e\/istiod: .*spec\.replicas.* or equal to 0/,
    );
    expect(await call('GET', `${DEPLOYMENTS}/istio-egressgateway`)).to.have.property('status', 200);
    await session.apply(plan);
  });

  it('says why pods do not come up', async () => {
    const unschedulable = edited('Deployment', 'istio-egressgateway', (deployment) =>
      withPodSpec(deployment, { nodeSelector: { 'example.com/none': 'here' } }),
    );

    const report = await session.apply(unschedulable, 3_000);

    expect(report.components.get('EgressGateways')).to.have.property('kind', 'notReady');
    expect(problemsOf(report)[0]).to.match(/pods are.*: Unschedulable \(.*node.*\)/);
    await session.apply(plan);
  });

  it('prunes what the plan no longer has, and releases what another owner has taken over', async () => {
    const without = demoPlan((object) => (/egressgateway/.test(object.metadata.name) ? undefined : object));
    const taken = `${CONFIG_MAPS}/values`;
    const labels = { 'install.operator.istio.io/owning-resource': 'other' };
    await call('PATCH', `${taken}?fieldManager=other-operator`, { metadata: { labels } }, MERGE);
    const withoutBoth = planOf(
      without.components.map((component) => ({
        ...component,
        objects: component.objects.filter(
          ({ kind, metadata }) => kind !== 'ConfigMap' || metadata.name !== 'values',
        ),
      })),
    );

    const report = await session.apply(withoutBoth);

    const pruned = changedIn(report).filter(({ action }) => action === 'pruned');
    expect(pruned.map(({ ref }) => ref.kind)).to.have.members([
      'Deployment',
      'Service',
      'ServiceAccount',
      'Role',
      'RoleBinding',
    ]);
    expect(changedIn(report).filter(({ action }) => action === 'released')).to.have.length(1);
    expect(await call('GET', taken)).to.have.property('status', 200);
    expect(await call('GET', `${DEPLOYMENTS}/istio-egressgateway`)).to.have.property('status', 404);
    expect(report.pruneFailures).to.deep.equal([]);
  });

  for (const { installer, manager, contentType } of INSTALLERS) {
    it(`adopts what ${installer} installed without touching its pods, and takes away what it drops later`, async () => {
      const deployment = renamed(ingressGateway('Deployment'), manager);
      const service = renamed(ingressGateway('Service'), manager);
      const objects = [deployment, withAnnotation(service, 'example.com/dropped', 'later')];
      for (const object of objects) await install(object, manager, contentType);
      const before = await uidsOf(objects);
      const other = await EngineSession.start(plane);
      const gateways = (members: readonly K8sObject[]): Plan =>
        planOf([{ component: 'IngressGateways', after: [], objects: members }]);

      const first = await other.apply(gateways(objects));
      const writes = await other.writes();
      const again = await other.apply(gateways(objects));
      const atRest = (await other.writes()).slice(writes.length);
      await other.apply(gateways([deployment, service]));

      expect(changedIn(first).map(({ changedBy }) => changedBy)).to.deep.equal([[manager], [manager]]);
      expect([actionsOf(again), atRest]).to.deep.equal([['unchanged'], []]);
      expect(await uidsOf(objects)).to.deep.equal(before);
      expect(at(await live(refOf(deployment)), 'metadata', 'generation')).to.equal(1);
      expect(at(await live(refOf(service)), 'metadata', 'annotations', 'example.com/dropped')).to.equal(
        undefined,
      );
      expect(await other.delete()).to.deep.equal({ kind: 'deleted' });
      await other.close();
    });
  }

  describe('gateways that replace their pods', () => {
    const names = ['turn-a', 'turn-b', 'turn-c'];
    let other: EngineSession;

    before(async () => {
      other = await EngineSession.start(plane);
      await other.apply(gatewaysWith({}));
    });

    after(async () => {
      await other.delete();
      await other.close();
    });

    function gatewaysWith(podSpec: Readonly<Record<string, JsonObject>>): Plan {
      const objects = names.map((name) => {
        const gateway = ingressGateway('Deployment');
        const renamedGateway = { ...gateway, metadata: { ...gateway.metadata, name } };
        // This runs after the suite has deleted the account of the gateways.
        return withPodSpec(renamedGateway, { serviceAccountName: 'default', ...podSpec[name] });
      });
      return planOf([{ component: 'IngressGateways', after: [], objects }]);
    }

    /** Of one moment: the API server answers a list from one revision. */
    async function unready(): Promise<readonly string[]> {
      const { body } = await call('GET', DEPLOYMENTS);
      const items = listAt(body, 'items').filter((item) =>
        names.includes(stringAt(item, 'metadata', 'name') ?? ''),
      );
      return (
        items
          // The items of a list leave out their kind.
          .map((item) => ({ ...mapAt(item), apiVersion: 'apps/v1', kind: 'Deployment' }))
          .filter((item) => isK8sObject(item) && readinessOf(item).kind !== 'ready')
          .map((item) => stringAt(item, 'metadata', 'name') ?? '')
      );
    }

    it('do so one after the other', async () => {
      const grace = { terminationGracePeriodSeconds: 31 };
      const running = other.apply(gatewaysWith({ 'turn-a': grace, 'turn-b': grace, 'turn-c': grace }));
      const seen: (readonly string[])[] = [];
      const report = await watchUntil(running, async () => seen.push(await unready()));

      expect(problemsOf(report)).to.deep.equal([]);
      expect(changedIn(report)).to.have.length(3);
      expect(new Set(seen.flat())).to.have.property('size', 3);
      expect(seen.filter((moment) => moment.length > 1)).to.deep.equal([]);
    });

    it('go on without the one that never becomes ready', async () => {
      const grace = { terminationGracePeriodSeconds: 32 };
      const stuck = { ...grace, nodeSelector: { 'example.com/no-such-node': 'true' } };

      const report = await other.apply(
        gatewaysWith({ 'turn-a': stuck, 'turn-b': grace, 'turn-c': grace }),
        12_000,
      );

      expect(changedIn(report).map(({ ref }) => ref.name)).to.have.members(names);
      expect(problemsOf(report)).to.have.length(1);
      expect(problemsOf(report)[0]).to.match(/turn-a: .* pods are/);
    });
  });

  it('deletes what it recorded under a version that is not served any more, and lets go of kinds that are gone', async () => {
    const name = 'of-an-old-version';
    const scaler = { ...AUTOSCALER, metadata: { ...AUTOSCALER.metadata, name } };
    const other = await EngineSession.start(plane);
    await other.apply(planOf([{ component: 'Pilot', after: [], objects: [scaler] }]));
    const recorded = other.inventory.map((entry) => ({ ...entry, apiVersion: 'autoscaling/v2beta2' }));
    const gone = { apiVersion: 'gone.example.com/v1', kind: 'Gone', namespace: NAMESPACE, name };
    other.inventory = [...recorded, gone];

    const report = await other.delete();

    expect(report).to.deep.equal({ kind: 'deleted' });
    expect(await live(refOf(scaler))).to.equal(undefined);
    await other.close();
  });

  async function uidsOf(objects: readonly K8sObject[]): Promise<readonly unknown[]> {
    return Promise.all(objects.map(async (object) => at(await live(refOf(object)), 'metadata', 'uid')));
  }

  function ingressGateway(kind: string): K8sObject {
    const found = objectsOf(plan).find(
      (object) => object.kind === kind && object.metadata.name === 'istio-ingressgateway',
    );
    if (found === undefined) throw new Error(`the demo profile has no ${kind} of the ingress gateway`);
    return found;
  }

  async function install(object: K8sObject, manager: string, contentType: string): Promise<void> {
    const path = object.kind === 'Service' ? SERVICES : DEPLOYMENTS;
    if (contentType === JSON_BODY) await call('POST', `${path}?fieldManager=${manager}`, object, contentType);
    else await call('PATCH', `${path}/${object.metadata.name}?fieldManager=${manager}`, object, contentType);
  }

  it('says that a namespace is being deleted', async () => {
    const namespace = `${NAMESPACE}-leaving`;
    const held = { name: 'held', namespace, finalizers: ['example.com/hold'] };
    await call('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    await call('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: held,
    });
    await call('DELETE', `/api/v1/namespaces/${namespace}`);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late', namespace } };
    const other = await EngineSession.start(plane);

    const report = await other.apply(planOf([{ component: 'Base', after: [], objects: [object] }]));

    expect(problemsOf(report)[0]).to.match(/^Namespace engine-e2e-leaving: it is being deleted/);
    await other.close();
    const release = { metadata: { finalizers: null } };
    await call('PATCH', `/api/v1/namespaces/${namespace}/configmaps/held`, release, MERGE);
  });

  it('deletes nothing for a long time when a finalizer holds an object, and says which one', async () => {
    const hold = { metadata: { finalizers: ['example.com/hold'] } };
    await call('PATCH', `${CONFIG_MAPS}/istio`, hold, MERGE);

    const report = await session.delete(1_500);

    expect(report.kind === 'blocked' && report.remaining).to.deep.equal([
      {
        ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'istio' },
        reason: 'it is being deleted and waits for the finalizer example.com/hold',
      },
    ]);
    expect(report.kind === 'blocked' && report.inventory.map(({ name }) => name)).to.deep.equal(['istio']);
  });

  it('ends the deletion once nothing holds it, and leaves definitions and the namespace', async () => {
    await call('PATCH', `${CONFIG_MAPS}/istio`, { metadata: { finalizers: null } }, MERGE);

    const report = await session.delete();
    const again = await session.delete();

    expect([report, again]).to.deep.equal([{ kind: 'deleted' }, { kind: 'deleted' }]);
    const left = await Promise.all(
      objectsOf(plan).map(async (object) => (await live(refOf(object))) && displayRef(refOf(object))),
    );
    expect(left.filter((name) => name !== undefined)).to.deep.equal([
      'CustomResourceDefinition widgets.engine-e2e.example.com',
      `ConfigMap ${NAMESPACE}/values`,
    ]);
    expect(await live({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE })).not.to.equal(undefined);
  });

  async function live(ref: ObjectRef): Promise<K8sObject | undefined> {
    return session.cluster.get(ref, { signal });
  }

  /** As somebody else: an administrator with another field manager. */
  async function call(
    method: Method,
    path: string,
    body?: JsonValue,
    contentType?: string,
  ): Promise<ApiResponse> {
    const response = await plane.api.request(method, path, body, contentType);
    if (response.status >= 300 && response.status !== 404) throw new Error(JSON.stringify(response.body));
    return response;
  }

  async function scale(replicas: number): Promise<void> {
    const path = `${DEPLOYMENTS}/istiod/scale?fieldManager=kube-controller-manager`;
    await call('PATCH', path, { spec: { replicas } }, MERGE);
  }

  /** As istiod does it: a patch of the whole list. */
  async function patchWebhooks(resource: string, name: string, patch: () => JsonObject): Promise<string> {
    const path = `${WEBHOOKS}/${resource}/${name}`;
    const webhooks = listAt((await call('GET', path)).body, 'webhooks').map((webhook) => {
      const { clientConfig = {}, ...others } = patch();
      return {
        ...mapAt(webhook),
        ...others,
        clientConfig: { ...mapAt(webhook, 'clientConfig'), ...mapAt(clientConfig) },
      };
    });
    await call('PATCH', `${path}?fieldManager=pilot-discovery`, { webhooks }, MERGE);
    return path;
  }
});

function edited(kind: string, name: string, edit: (object: K8sObject) => K8sObject): Plan {
  const only: Edit = (object) =>
    object.kind === kind && object.metadata.name === name ? edit(object) : object;
  return demoPlan(only);
}

function problemsOf(report: ApplyReport): readonly string[] {
  return [...report.components.values()].flatMap((result) => {
    if (result.kind === 'failed') return [result.message];
    return result.kind === 'notReady'
      ? result.waitingFor.map(({ ref, reason }) => `${displayRef(ref)}: ${reason}`)
      : [];
  });
}

function actionsOf(report: ApplyReport): readonly string[] {
  return [...new Set(report.changes.map(({ action }) => action))];
}

function changedIn(report: ApplyReport): readonly Change[] {
  return report.changes.filter(({ action }) => action !== 'unchanged');
}

function podTemplate(container: JsonObject): JsonObject {
  return { spec: { template: { spec: { containers: [container] } } } };
}

/** Under a name of its own, so that nothing else of the suite is touched. */
function renamed(object: K8sObject, manager: string): K8sObject {
  return { ...object, metadata: { ...object.metadata, name: `adopted-from-${manager}` } };
}

function withAnnotation(object: K8sObject, name: string, value: string): K8sObject {
  const annotations = { ...annotationsOf(object), [name]: value };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function withSpec(object: K8sObject, fields: JsonObject): K8sObject {
  return { ...object, spec: { ...mapAt(object, 'spec'), ...fields } };
}

/** Does something over and over until a promise is settled, and gives what that one gives. */
async function watchUntil<T>(promise: Promise<T>, act: () => Promise<unknown>): Promise<T> {
  const ended = new AbortController();
  const settled = promise.finally(() => ended.abort());
  while (!ended.signal.aborted) await act();
  return settled;
}

function withPodSpec(object: K8sObject, fields: JsonObject): K8sObject {
  const template = mapAt(object, 'spec', 'template');
  return withSpec(object, { template: { ...template, spec: { ...mapAt(template, 'spec'), ...fields } } });
}

function withReplicas(object: K8sObject, replicas: number): K8sObject {
  return withSpec(object, { replicas });
}

function withLabel(object: K8sObject, name: string, value: string): K8sObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...labelsOf(object), [name]: value } } };
}

/** The charts leave the field out when an autoscaler is rendered. */
function withoutReplicas(object: K8sObject): K8sObject {
  if (object.kind !== 'Deployment' || object.metadata.name !== 'istiod') return object;
  const { replicas: _replicas, ...spec } = mapAt(object, 'spec');
  return { ...object, spec };
}
