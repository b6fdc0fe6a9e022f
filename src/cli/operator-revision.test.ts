import { expect } from 'chai';
import { loadAssets } from '../assets/load.ts';
import type { AssetBundle } from '../model/assets.ts';
import { objectsOfRevision, revisionObstacle } from './operator-revision.ts';

describe('revisionObstacle', () => {
  let assets: AssetBundle;

  before(async () => {
    assets = await loadAssets();
  });

  it('keeps every ending of a role from being a revision, or the end of one', () => {
    const endings = objectsOfRevision(assets, undefined)
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .map(({ metadata }) => metadata.name.replace(/^istio-operator-?/u, ''))
      .filter((ending) => ending !== '');

    expect(endings).to.include.members(['gateways', 'election', 'addons-istio-system']);
    for (const ending of endings) {
      expect(revisionObstacle(assets, ending), ending).to.include(`these end in "${ending}"`);
      expect(revisionObstacle(assets, `blue-${ending}`), ending).to.not.equal(undefined);
    }
  });

  it('lets every other name be one', () => {
    for (const revision of ['', 'default', '1-30-3', 'canary', 'gateways-next', 'a'.repeat(48)]) {
      expect(revisionObstacle(assets, revision), revision).to.equal(undefined);
    }
  });

  it('tells a name that makes names longer than Kubernetes allows', () => {
    expect(revisionObstacle(assets, 'a'.repeat(49))).to.match(/is longer than 63 letters$/);
  });
});
