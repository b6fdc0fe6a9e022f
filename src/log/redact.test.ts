import { expect } from 'chai';
import { ClusterError } from '../model/cluster-error.ts';
import { redactFields } from './redact.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.c2lnbmF0dXJl';

describe('redactFields', () => {
  for (const name of [
    'token',
    'bearerToken',
    'password',
    'passwd',
    'clientSecret',
    'authorization',
    'Authorization',
    'credentials',
    'cookie',
    'api_key',
    'privateKey',
    'client-key-data',
    'tls.key',
    'stringData',
    'data',
  ]) {
    it(`hides what stands under "${name}"`, () => {
      expect(redactFields({ [name]: 'CANARY-value', nested: { [name]: ['CANARY'] } })).to.deep.equal({
        [name]: '[redacted]',
        nested: { [name]: '[redacted]' },
      });
    });
  }

  for (const [what, text, shown] of [
    ['tokens', `token ${JWT} refused`, 'token [redacted] refused'],
    ['authorization headers', 'sent Bearer abcdefgh12345', 'sent [redacted]'],
    [
      'private keys',
      '-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY----- end',
      '[redacted] end',
    ],
    ['cut private keys', 'x -----BEGIN PRIVATE KEY-----\nCANARY', 'x [redacted]'],
    ['passwords in URLs', 'http://user:CANARY@proxy:80/', 'http://user:[redacted]@proxy:80/'],
  ] as const) {
    it(`hides ${what} in the middle of texts`, () => {
      expect(redactFields({ note: text })).to.deep.equal({ note: shown });
    });
  }

  it('keeps names of secrets, counts and plain facts', () => {
    const fields = {
      secretName: 'cacerts',
      tokens: 3,
      key: 'istio-system/demo',
      namespace: 'a',
      ok: true,
      none: null,
    };

    expect(redactFields(fields)).to.deep.equal(fields);
  });

  it('shows of a ClusterError what it is about, and no stack or cause', () => {
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: 'n', name: 'a' };
    const error = new ClusterError('is invalid', {
      kind: 'invalid',
      verb: 'apply',
      ref,
      httpStatus: 422,
      cause: new Error('CANARY'),
    });

    expect(redactFields({ error })).to.deep.equal({
      error: {
        name: 'ClusterError',
        message: 'is invalid',
        kind: 'invalid',
        verb: 'apply',
        ref,
        httpStatus: 422,
      },
    });
  });

  it('shows of other errors name, message, stack and cause, but no other property', () => {
    const error = Object.assign(new TypeError('bad', { cause: new Error('deeper') }), { body: 'CANARY' });

    const shown = JSON.stringify(redactFields({ error }));

    expect(shown).to.contain('"name":"TypeError"').and.contain('"message":"deeper"').and.contain('stack');
    expect(shown).to.not.contain('CANARY');
  });

  it('bounds depth, length and number', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;

    const shown = redactFields({
      circular,
      long: 'x'.repeat(5_000),
      many: Array.from({ length: 99 }, () => 1),
    });

    expect(JSON.stringify(shown['circular'])).to.contain('[too deep]');
    expect(shown['long']).to.match(/^x{2000}… \(5000 characters\)$/);
    expect(shown['many']).to.have.length(50);
  });

  it('shows maps, sets and big numbers', () => {
    expect(redactFields({ map: new Map([['a', 1]]), set: new Set([2]), big: 3n })).to.deep.equal({
      map: { a: 1 },
      set: [2],
      big: '3',
    });
  });
});
