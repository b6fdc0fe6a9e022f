import { expect } from 'chai';
import { nearest } from './nearest.ts';

const FIELDS = ['replicaCount', 'resources', 'hub', 'tag'];

describe('nearest', () => {
  it('finds what was meant behind a typing mistake', () => {
    expect(['replicaCuont', 'resource', 'hbu'].map((word) => nearest(word, FIELDS))).to.deep.equal([
      'replicaCount',
      'resources',
      'hub',
    ]);
  });

  it('prefers the same word in other letters', () => {
    expect(nearest('REPLICACOUNT', ['replicaCounts', 'replicaCount'])).to.equal('replicaCount');
  });

  it('does not guess when nothing is close', () => {
    expect(nearest('autoscaler', FIELDS)).to.equal(undefined);
    expect([
      nearest('a', FIELDS),
      nearest('xy', FIELDS),
      nearest('', FIELDS),
      nearest('x', []),
    ]).to.deep.equal([undefined, undefined, undefined, undefined]);
  });
});
