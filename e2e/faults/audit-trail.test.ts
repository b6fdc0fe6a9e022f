import { expect } from 'chai';
import { extraLives, tally } from './audit-trail.ts';

function line(verb: string, code: number, userAgent = 'istio-operator/0.1.0', requestURI = '/'): string {
  const objectRef = { resource: 'services', namespace: 'a', name: 'b' };
  return JSON.stringify({ verb, userAgent, requestURI, objectRef, responseStatus: { code } });
}

describe('tally', () => {
  it('counts creations, also by apply, and deletions, but nothing that was refused', () => {
    const { lives, writes } = tally([
      line('patch', 201),
      line('patch', 200),
      line('delete', 200),
      line('delete', 404),
    ]);

    expect([...lives]).to.deep.equal([
      ['create services a/b', 1],
      ['delete services a/b', 1],
    ]);
    expect(writes).to.equal(3);
  });

  it('counts no one else, no read and no dry run', () => {
    const lines = [
      line('patch', 201, 'kubectl'),
      line('get', 200),
      line('patch', 201, undefined, '/x?dryRun=All'),
      '',
    ];

    expect(tally(lines)).to.deep.equal({ lives: new Map(), writes: 0 });
  });
});

describe('extraLives', () => {
  it('names what was created or deleted more often than it should', () => {
    const reference = tally([line('patch', 201)]);

    expect(extraLives(reference, tally([line('patch', 201)]))).to.deep.equal([]);
    expect(
      extraLives(reference, tally([line('patch', 201), line('patch', 201), line('delete', 200)])),
    ).to.deep.equal([
      'create services a/b: 2 times instead of 1',
      'delete services a/b: 1 times instead of 0',
    ]);
  });
});
