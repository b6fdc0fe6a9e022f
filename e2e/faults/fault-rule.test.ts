import { expect } from 'chai';
import { readRequest } from './api-request.ts';
import { ArmedRule } from './fault-rule.ts';

const RESET = { kind: 'reset' } as const;
const DELETION = readRequest({ method: 'DELETE', url: '/api/v1/namespaces/a/services/b' });
const READ = readRequest({ method: 'GET', url: '/api/v1/namespaces/a/services/b' });

describe('ArmedRule', () => {
  it('strikes the first match and no other', () => {
    const rule = new ArmedRule({ when: (request) => request.isWrite, fault: RESET });

    const faults = [READ, DELETION, DELETION].map((request) => rule.strike(request)?.kind);

    expect(faults).to.deep.equal([undefined, 'reset', undefined]);
    expect([rule.matches, rule.strikes]).to.deep.equal([2, 1]);
  });

  it('strikes as many matches as it is told to, from the one that it is told', () => {
    const rule = new ArmedRule({ when: () => true, nth: 2, times: 2, fault: RESET });

    const faults = [READ, READ, READ, READ].map((request) => rule.strike(request)?.kind);

    expect(faults).to.deep.equal([undefined, 'reset', 'reset', undefined]);
  });

  it('strikes nothing once it is disarmed', () => {
    const rule = new ArmedRule({ when: () => true, times: Infinity, fault: RESET });

    rule.strike(READ);
    rule.disarm();

    expect([rule.strike(READ), rule.strikes]).to.deep.equal([undefined, 1]);
  });
});
