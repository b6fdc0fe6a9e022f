import { expect } from 'chai';
import { ownerFor } from './requested-installation.ts';

describe('ownerFor', () => {
  const stable = { revision: '', namespace: 'istio-system' };
  const canary = { revision: 'canary', namespace: 'istio-system' };

  it('takes name and namespace from the last file that says them', () => {
    const files = [{ name: 'base', namespace: 'mesh' }, { name: 'team' }, {}];

    expect(ownerFor(files, stable, {})).to.deep.equal({ name: 'team', namespace: 'mesh' });
  });

  it("uses upstream's name in the control plane's namespace where no file says one", () => {
    expect(ownerFor([], stable, {})).to.deep.equal({ name: 'installed-state', namespace: 'istio-system' });
  });

  it('keeps a revision that comes by flag apart from the installation of the same file', () => {
    const owner = ownerFor([{ name: 'mesh' }], canary, { revision: 'canary' });

    expect(owner.name).to.equal('mesh-canary');
  });

  it('keeps revisions without a name apart from each other', () => {
    expect(ownerFor([], canary, {}).name).to.equal('installed-state-canary');
  });

  it('changes the revision of a named resource in place, as the operator does', () => {
    expect(ownerFor([{ name: 'mesh' }], canary, {}).name).to.equal('mesh');
  });
});
