import { expect } from 'chai';
import type { ClusterErrorDetails } from '../model/cluster-error.ts';
import { ClusterError } from '../model/cluster-error.ts';
import { RetryBudget, retryWaitMs } from './retry.ts';

function failed(details: Partial<ClusterErrorDetails> = {}): ClusterError {
  return new ClusterError('failed', { kind: 'unavailable', verb: 'get', ...details });
}

describe('retryWaitMs', () => {
  it('doubles the wait with each try', () => {
    const waits = [1, 2, 3].map((tries) =>
      retryWaitMs({ error: failed(), tries, remainingMs: 9_000, random: 1 }),
    );

    expect(waits).to.deep.equal([200, 400, 800]);
  });

  it('spreads waits down to a half', () => {
    expect(retryWaitMs({ error: failed(), tries: 1, remainingMs: 9_000, random: 0 })).to.equal(100);
  });

  it('waits at least as long as the server asks for', () => {
    const error = failed({ retryAfterMs: 3_000 });

    expect(retryWaitMs({ error, tries: 1, remainingMs: 9_000, random: 1 })).to.equal(3_200);
  });

  it('gives up when the wait would pass the deadline', () => {
    const error = failed({ retryAfterMs: 5_000 });

    expect(retryWaitMs({ error, tries: 1, remainingMs: 5_000, random: 0 })).to.equal(undefined);
  });

  it('gives up after four tries', () => {
    expect(retryWaitMs({ error: failed(), tries: 4, remainingMs: 9_000, random: 0 })).to.equal(undefined);
  });

  for (const kind of ['conflict', 'forbidden', 'absent', 'invalid', 'refused', 'cancelled'] as const) {
    it(`never repeats a call that failed as ${kind}`, () => {
      expect(retryWaitMs({ error: failed({ kind }), tries: 1, remainingMs: 9_000, random: 0 })).to.equal(
        undefined,
      );
    });
  }
});

describe('RetryBudget', () => {
  it('allows retries until half of it is spent', () => {
    const budget = new RetryBudget();

    const allowed = Array.from({ length: 7 }, () => {
      budget.failed();
      return budget.allowsRetry();
    });

    expect(allowed).to.deep.equal([true, true, true, true, true, false, false]);
  });

  it('allows retries again after enough successes', () => {
    const budget = new RetryBudget();
    for (let i = 0; i < 6; i += 1) budget.failed();

    for (let i = 0; i < 5; i += 1) budget.succeeded();

    expect(budget.allowsRetry()).to.equal(true);
  });
});
