import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { deletionGroups, stagesOf } from './stages.ts';
import { configMap, deployment, object } from './testing/objects.ts';

const namesOf = (groups: readonly (readonly K8sObject[])[]): readonly (readonly string[])[] =>
  groups.map((group) => group.map(({ metadata }) => metadata.name));

const gateway = (kind: string, name: string): K8sObject =>
  object(kind, name, {
    metadata: { labels: { 'operator.istio.io/component': 'IngressGateways' } satisfies JsonObject },
  });

describe('stagesOf', () => {
  it('puts kinds that are in no table among the workloads', () => {
    const filter = { ...object('EnvoyFilter', 'filter'), apiVersion: 'networking.istio.io/v1alpha3' };

    const stages = stagesOf([
      object('MutatingWebhookConfiguration', 'injector'),
      filter,
      deployment('istiod'),
      configMap('istio'),
    ]);

    expect(namesOf(stages)).to.deep.equal([['istio'], ['filter', 'istiod'], ['injector']]);
  });

  it('puts roles before what binds them', () => {
    const objects = [
      object('RoleBinding', 'binding'),
      object('Role', 'role'),
      object('ServiceAccount', 'account'),
    ];

    expect(namesOf(stagesOf(objects))).to.deep.equal([['role', 'account'], ['binding']]);
  });

  it('keeps the order of the plan within a stage', () => {
    expect(namesOf(stagesOf([configMap('b'), configMap('a')]))).to.deep.equal([['b', 'a']]);
  });

  it('tells kinds of the same name in different groups apart', () => {
    const service = { ...object('Role', 'role'), apiVersion: 'example.com/v1' };

    expect(namesOf(stagesOf([service, configMap('istio')]))).to.deep.equal([['istio'], ['role']]);
  });
});

describe('deletionGroups', () => {
  it('takes webhooks first, then gateways, workloads, services, configuration, bindings and rights', () => {
    const objects = [
      object('ServiceAccount', 'account'),
      object('ClusterRole', 'role'),
      object('ClusterRoleBinding', 'binding'),
      configMap('istio'),
      gateway('ServiceAccount', 'gateway-account'),
      gateway('Service', 'gateway-service'),
      gateway('Deployment', 'gateway'),
      gateway('HorizontalPodAutoscaler', 'gateway-scaler'),
      deployment('istiod'),
      object('ValidatingWebhookConfiguration', 'validator'),
    ];

    const groups = deletionGroups(objects.map((live) => ({ live })));

    expect(namesOf(groups.map((group) => group.map(({ live }) => live)))).to.deep.equal([
      ['validator'],
      ['gateway', 'gateway-scaler'],
      ['istiod'],
      ['gateway-service'],
      ['istio'],
      ['binding'],
      ['account', 'role', 'gateway-account'],
    ]);
  });
});
