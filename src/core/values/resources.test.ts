import { expect } from 'chai';
import { resourceRequirements } from './resources.ts';

describe('resourceRequirements', () => {
  it('keeps limits and requests', () => {
    const resources = { limits: { cpu: '500m' }, requests: { cpu: '100m', memory: '128Mi' } };

    expect(resourceRequirements(resources)).to.deep.equal(resources);
  });

  it('drops everything else, and what is empty', () => {
    const resources = {
      claims: [{ name: 'x' }],
      limits: { cpu: null, memory: '' },
      requests: { cpu: '1m', memory: null },
    };

    expect(resourceRequirements(resources)).to.deep.equal({ requests: { cpu: '1m' } });
  });

  it('is nothing when nothing is left, or something else stands there', () => {
    const nothing = [{}, { limits: {} }, { limits: 'x' }, null, 'x', [1]];

    expect(nothing.map(resourceRequirements)).to.deep.equal(nothing.map(() => null));
  });

  it('prints quantities that are plain numbers as numbers', () => {
    expect(resourceRequirements({ limits: { cpu: '2', memory: '1e3', x: 5 } })).to.deep.equal({
      limits: { cpu: 2, memory: '1e3', x: 5 },
    });
  });
});
