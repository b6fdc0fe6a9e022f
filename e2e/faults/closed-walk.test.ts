import { expect } from 'chai';
import { closedWalk } from './closed-walk.ts';

describe('closedWalk', () => {
  it('makes each step from one place to another exactly once', () => {
    const walk = closedWalk(['a', 'b', 'c', 'd', 'e']);

    const steps = walk.slice(1).map((to, index) => `${walk[index]}${to}`);

    expect(walk.at(0)).to.equal(walk.at(-1));
    expect(steps).to.have.length(20);
    expect(new Set(steps).size).to.equal(20);
    expect(steps.filter(([from, to]) => from === to)).to.deep.equal([]);
  });

  it('has nowhere to go from one place alone', () => {
    expect(closedWalk(['a'])).to.deep.equal([]);
  });
});
