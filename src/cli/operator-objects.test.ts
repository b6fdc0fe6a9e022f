import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import { listAt, mapAt, stringAt } from '../model/json.ts';
import type { JsonObject } from '../model/json.ts';
import type { AssetBundle } from '../model/assets.ts';
import type { K8sObject } from '../model/object.ts';
import { identityOf, refOf } from '../model/object.ts';
import type { OperatorChoices } from './operator-objects.ts';
import { operatorObjects } from './operator-objects.ts';
import { isShared } from './operator-revision.ts';

describe('operatorObjects', () => {
  let assets: AssetBundle;

  before(async () => {
    assets = await loadAssets();
  });

  const chosen = (choices: Partial<OperatorChoices>): readonly K8sObject[] =>
    operatorObjects(assets, { watchedNamespaces: [], imagePullSecrets: [], ...choices });

  const containerOf = (objects: readonly K8sObject[]): JsonObject => {
    const workload = objects.find(({ kind }) => kind === 'Deployment');
    return mapAt(workload, 'spec', 'template', 'spec', 'containers', 0);
  };

  const imageWith = (choices: Partial<OperatorChoices>): string | undefined =>
    stringAt(containerOf(chosen(choices)), 'image');

  it('are those of deploy/ when nothing is chosen', () => {
    expect(chosen({})).to.have.deep.members([...assets.deployment]);
  });

  it('take hub and tag into the image, and a whole image before both', () => {
    const [released = ''] = /[^:]+$/.exec(imageWith({}) ?? '') ?? [];

    expect(imageWith({ hub: 'registry:5000/mesh' })).to.equal(
      `registry:5000/mesh/istio-operator:${released}`,
    );
    expect(imageWith({ tag: 'next' })).to.equal('istio-operator:next');
    expect(imageWith({ hub: 'a', tag: 'b', image: 'c:d' })).to.equal('c:d');
  });

  it('name the chosen namespace wherever they named the usual one', () => {
    const objects = chosen({ operatorNamespace: 'mesh-operator' });

    const left = objects.filter((object) => /"name(space)?":"istio-operator"/.test(placesOf(object)));
    expect(left.map(({ kind }) => kind)).to.deep.equal([]);
  });

  it("leave the control plane's namespace as it is when the operator runs in it", () => {
    const objects = chosen({ operatorNamespace: 'istio-system' });

    const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
    expect(namespaces.map(({ metadata }) => metadata.name)).to.deep.equal(['istio-system']);
    expect(JSON.stringify(namespaces)).to.not.include('pod-security');
  });

  it('watch the chosen namespaces, which are made', () => {
    const objects = chosen({ watchedNamespaces: ['istio-system', 'team'] });

    const env = listAt(containerOf(objects), 'env');
    expect(env).to.deep.include({ name: 'WATCH_NAMESPACE', value: 'istio-system,team' });
    expect(objects).to.deep.include({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    expect(objects.filter(({ metadata }) => metadata.name === 'istio-system')).to.have.length(1);
  });

  describe('of a revision', () => {
    const canary = (): readonly K8sObject[] => chosen({ revision: 'canary' });
    const own = (objects: readonly K8sObject[]): readonly K8sObject[] =>
      objects.filter((object) => !isShared(object));

    it('have no name that the operator of another revision has', () => {
      const taken = new Set([...own(chosen({})), ...own(chosen({ revision: 'blue' }))].map(identityOfObject));

      const objects = own(canary());

      expect(objects).to.have.length.greaterThan(10);
      expect(objects.map(identityOfObject).filter((identity) => taken.has(identity))).to.deep.equal([]);
    });

    it('share with the others what a cluster has once', () => {
      const shared = canary().filter(isShared);

      expect(shared).to.deep.equal(assets.deployment.filter(isShared));
    });

    it('choose pods of their own only, and give rights to their account only', () => {
      const text = JSON.stringify(own(canary()));

      expect(text).to.include('"matchLabels":{"app.kubernetes.io/name":"istio-operator-canary"}');
      expect(text).to.include('"serviceAccountName":"istio-operator-canary"');
      expect(text).to.not.match(/"(app\.kubernetes\.io\/name|name|serviceAccountName)":"istio-operator"/);
      expect(text).to.not.include('REVISION-');
    });

    it('hold the rights for that revision, and not those for the one without a name', () => {
      const names = canary()
        .filter(({ kind }) => kind === 'ClusterRole')
        .flatMap((role) => listAt(role, 'rules').flatMap((rule) => listAt(rule, 'resourceNames')));

      expect(names).to.include.members(['istiod-clusterrole-canary-istio-system', 'istiod-canary']);
      expect(names).to.not.include('istiod-clusterrole-istio-system');
    });

    it('tell the operator which one it serves', () => {
      const variables = (revision: string): readonly unknown[] =>
        listAt(containerOf(chosen({ revision })), 'env').filter(
          (variable) => stringAt(variable, 'name') === 'REVISION',
        );

      expect(variables('canary')).to.deep.equal([{ name: 'REVISION', value: 'canary' }]);
      expect(variables('default')).to.deep.equal([{ name: 'REVISION', value: 'default' }]);
    });

    it('are those of the operator of all revisions when it is the one without a name', () => {
      expect(chosen({ revision: 'default' }).map(identityOfObject)).to.deep.equal(
        chosen({}).map(identityOfObject),
      );
    });
  });

  it('pull the image with the chosen secrets', () => {
    const account = chosen({ imagePullSecrets: ['one', 'two'] }).find(
      ({ kind }) => kind === 'ServiceAccount',
    );

    expect(account?.['imagePullSecrets']).to.deep.equal([{ name: 'one' }, { name: 'two' }]);
  });
});

function identityOfObject(object: K8sObject): string {
  return identityOf(refOf(object));
}

/** Where an object is, and whom it speaks of: everything that can name a namespace. */
function placesOf(object: K8sObject): string {
  const own = object.kind === 'Namespace' ? { name: object.metadata.name } : {};
  const subjects = listAt(object, 'subjects').map((subject) => ({
    namespace: stringAt(subject, 'namespace') ?? '',
  }));
  return JSON.stringify([{ namespace: stringAt(object, 'metadata', 'namespace') ?? '' }, own, subjects]);
}
