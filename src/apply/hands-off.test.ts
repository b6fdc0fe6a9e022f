import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, mapAt } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { HANDS_OFF, leaveToOthers } from './hands-off.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { deployment, object } from './testing/objects.ts';

/** Applies `first`, lets a manager change it, and gives what would be applied for `desired` then. */
function left(change: {
  readonly first: K8sObject;
  readonly manager: string;
  readonly edit: (live: K8sObject) => JsonObject;
  readonly desired?: K8sObject;
  readonly autoscaled?: boolean;
}): K8sObject {
  const api = new InMemoryApi();
  void api.apply(change.first, {});
  api.edit(change.manager, refOf(change.first), change.edit);
  const live = api.read(refOf(change.first)) ?? change.first;
  return leaveToOthers(change.desired ?? change.first, live, { autoscaled: change.autoscaled ?? false });
}

function webhook(kind: string, fields: JsonObject, clientConfig: JsonObject = {}): K8sObject {
  const service = { name: 'istiod', namespace: 'istio-system' };
  const rest = { name: 'rev.validation.istio.io', ...fields };
  return object(kind, 'istio', { webhooks: [{ ...rest, clientConfig: { service, ...clientConfig } }] });
}

const VALIDATING = 'ValidatingWebhookConfiguration';
const MUTATING = 'MutatingWebhookConfiguration';

describe('leaveToOthers', () => {
  describe('caBundle', () => {
    const bundle = (value: string): K8sObject => webhook(MUTATING, {}, { caBundle: value });
    const caBundleOf = (result: K8sObject): JsonValue | undefined =>
      at(result, 'webhooks', 0, 'clientConfig', 'caBundle');

    it('stays as istiod has set it, also when the chart renders another one', () => {
      const result = left({
        first: bundle('chart'),
        manager: 'pilot-discovery',
        edit: () => ({ ...bundle('istiod') }),
      });

      expect(caBundleOf(result)).to.equal(undefined);
      expect(at(result, 'webhooks', 0, 'clientConfig', 'service', 'name')).to.equal('istiod');
    });

    it('is not applied when it is empty', () => {
      const result = left({
        first: webhook(MUTATING, {}),
        manager: 'kubectl',
        edit: () => bundle('x'),
        desired: bundle(''),
      });

      expect(caBundleOf(result)).to.equal(undefined);
    });

    it('is ours when a person has changed it', () => {
      const result = left({ first: bundle('chart'), manager: 'kubectl-edit', edit: () => bundle('other') });

      expect(caBundleOf(result)).to.equal('chart');
    });

    it('is applied when the chart changes its own', () => {
      const result = left({
        first: bundle('old'),
        manager: 'x',
        edit: () => ({ more: 1 }),
        desired: bundle('new'),
      });

      expect(caBundleOf(result)).to.equal('new');
    });

    it('of a webhook that is new is applied', () => {
      const desired = webhook(MUTATING, { name: 'new' }, { caBundle: 'chart' });

      const result = left({
        first: webhook(MUTATING, {}),
        manager: 'pilot-discovery',
        edit: () => bundle('x'),
        desired,
      });

      expect(caBundleOf(result)).to.equal('chart');
    });
  });

  describe('failurePolicy', () => {
    const policy = (value: string, kind = VALIDATING): K8sObject => webhook(kind, { failurePolicy: value });
    const policyOf = (result: K8sObject): JsonValue | undefined => at(result, 'webhooks', 0, 'failurePolicy');

    it('stays Fail when istiod has set it', () => {
      const result = left({
        first: policy('Ignore'),
        manager: 'pilot-discovery',
        edit: () => policy('Fail'),
      });

      expect(policyOf(result)).to.equal(undefined);
    });

    it('goes back to what is wanted when somebody has set it to Ignore', () => {
      const result = left({
        first: policy('Fail'),
        manager: 'pilot-discovery',
        edit: () => policy('Ignore'),
      });

      expect(policyOf(result)).to.equal('Fail');
    });

    it('goes back when a person has set it to Fail', () => {
      const result = left({ first: policy('Ignore'), manager: 'kubectl', edit: () => policy('Fail') });

      expect(policyOf(result)).to.equal('Ignore');
    });

    it('of an injector is ours', () => {
      const result = left({
        first: policy('Ignore', MUTATING),
        manager: 'pilot-discovery',
        edit: () => policy('Fail', MUTATING),
      });

      expect(policyOf(result)).to.equal('Ignore');
    });
  });

  describe('replicas', () => {
    const replicasOf = (result: K8sObject): JsonValue | undefined => at(result, 'spec', 'replicas');
    const scaled = (count: number) => (live: K8sObject) => ({
      spec: { ...mapAt(live, 'spec'), replicas: count },
    });

    it('are not applied once an autoscaler has set them', () => {
      const first = deployment('istiod', { replicas: 2 });

      const result = left({ first, manager: 'kube-controller-manager', edit: scaled(5), autoscaled: true });

      expect(replicasOf(result)).to.equal(undefined);
    });

    it('stay as they are while they are still ours', () => {
      const first = deployment('istiod', { replicas: 2 });
      const { replicas: _replicas, ...spec } = mapAt(first, 'spec');

      const result = left({
        first,
        manager: 'x',
        edit: () => ({ more: 1 }),
        desired: { ...first, spec },
        autoscaled: true,
      });

      expect(replicasOf(result)).to.equal(2);
    });

    it('do not stay at none, from which no autoscaler brings a workload back', () => {
      const first = deployment('istiod', { replicas: 0 });
      const { replicas: _replicas, ...spec } = mapAt(first, 'spec');

      const result = left({
        first,
        manager: 'x',
        edit: () => ({ more: 1 }),
        desired: { ...first, spec },
        autoscaled: true,
      });

      expect(replicasOf(result)).to.equal(undefined);
    });

    it('are applied when nothing scales', () => {
      const result = left({
        first: deployment('istiod', { replicas: 2 }),
        manager: 'kubectl',
        edit: scaled(0),
      });

      expect(replicasOf(result)).to.equal(2);
    });
  });

  describe('a Service', () => {
    const service = (port: JsonObject, spec: JsonObject = {}): K8sObject =>
      object('Service', 'gateway', { spec: { ...spec, ports: [{ port: 80, protocol: 'TCP', ...port }] } });

    it('keeps the node port that the API server chose', () => {
      const result = left({
        first: service({}),
        manager: 'api-server',
        edit: () => service({ nodePort: 30080 }),
        desired: service({ nodePort: 0 }),
      });

      expect(at(result, 'spec', 'ports', 0)).to.deep.equal({ port: 80, protocol: 'TCP' });
    });

    it('gets the node port that is wanted', () => {
      const result = left({
        first: service({}),
        manager: 'api-server',
        edit: () => service({ nodePort: 30080 }),
        desired: service({ nodePort: 30443 }),
      });

      expect(at(result, 'spec', 'ports', 0, 'nodePort')).to.equal(30443);
    });

    it('keeps its address and its health-check port', () => {
      const result = left({
        first: service({}),
        manager: 'api-server',
        edit: () => service({}, { clusterIP: '10.0.0.7', healthCheckNodePort: 31000 }),
        desired: service({}, { clusterIP: '', healthCheckNodePort: 0 }),
      });

      expect(Object.keys(mapAt(result, 'spec'))).to.deep.equal(['ports']);
    });

    it('can be made headless', () => {
      const desired = service({}, { clusterIP: 'None' });

      const result = left({
        first: service({}),
        manager: 'x',
        edit: () => service({}, { clusterIP: '10.0.0.7' }),
        desired,
      });

      expect(at(result, 'spec', 'clusterIP')).to.equal('None');
    });
  });

  describe('pull secrets of a ServiceAccount', () => {
    const account = (...names: readonly string[]): K8sObject =>
      object('ServiceAccount', 'istiod', { imagePullSecrets: names.map((name) => ({ name })) });

    it('stay when a platform has added to them', () => {
      const result = left({
        first: account('ours'),
        manager: 'openshift',
        edit: () => account('ours', 'dockercfg'),
      });

      expect(result['imagePullSecrets']).to.equal(undefined);
    });

    it('are applied when ours is missing', () => {
      const result = left({ first: account('ours'), manager: 'openshift', edit: () => account('dockercfg') });

      expect(result['imagePullSecrets']).to.deep.equal([{ name: 'ours' }]);
    });
  });

  it('gives back the very object when no row applies', () => {
    const desired = object('ConfigMap', 'istio', { data: { a: 'b' } });

    expect(leaveToOthers(desired, desired, { autoscaled: true })).to.equal(desired);
  });

  it('says of every row why', () => {
    expect(HANDS_OFF.filter(({ why }) => why.length < 20)).to.deep.equal([]);
  });
});
