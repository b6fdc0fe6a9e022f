import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import { listAt, mapAt, stringAt } from '../model/json.ts';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { OperatorChoices } from './operator-objects.ts';
import { operatorObjects } from './operator-objects.ts';

describe('operatorObjects', () => {
  let deployment: readonly K8sObject[];

  before(async () => {
    ({ deployment } = await loadAssets());
  });

  const chosen = (choices: Partial<OperatorChoices>): readonly K8sObject[] =>
    operatorObjects(deployment, { watchedNamespaces: [], imagePullSecrets: [], ...choices });

  const containerOf = (objects: readonly K8sObject[]): JsonObject => {
    const workload = objects.find(({ kind }) => kind === 'Deployment');
    return mapAt(workload, 'spec', 'template', 'spec', 'containers', 0);
  };

  const imageWith = (choices: Partial<OperatorChoices>): string | undefined =>
    stringAt(containerOf(chosen(choices)), 'image');

  it('are those of deploy/ when nothing is chosen', () => {
    expect(chosen({})).to.have.deep.members([...deployment]);
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

  it('pull the image with the chosen secrets', () => {
    const account = chosen({ imagePullSecrets: ['one', 'two'] }).find(
      ({ kind }) => kind === 'ServiceAccount',
    );

    expect(account?.['imagePullSecrets']).to.deep.equal([{ name: 'one' }, { name: 'two' }]);
  });
});

/** Where an object is, and whom it speaks of: everything that can name a namespace. */
function placesOf(object: K8sObject): string {
  const own = object.kind === 'Namespace' ? { name: object.metadata.name } : {};
  const subjects = listAt(object, 'subjects').map((subject) => ({
    namespace: stringAt(subject, 'namespace') ?? '',
  }));
  return JSON.stringify([{ namespace: stringAt(object, 'metadata', 'namespace') ?? '' }, own, subjects]);
}
