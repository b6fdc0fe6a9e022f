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

  it('does not wait until the very deadline: nothing could be sent any more', () => {
    const waits = [201, 200].map((remainingMs) =>
      retryWaitMs({ error: failed(), tries: 1, remainingMs, random: 1 }),
    );

    expect(waits).to.deep.equal([200, undefined]);
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

  it('forgets old failures: what was lost beyond all of it need not be earned back', () => {
    const budget = new RetryBudget();
    for (let i = 0; i < 1_000; i += 1) budget.failed();

    for (let i = 0; i < 24; i += 1) budget.succeeded();
    const before = budget.allowsRetry();
    for (let i = 0; i < 2; i += 1) budget.succeeded();

    expect([before, budget.allowsRetry()]).to.deep.equal([false, true]);
  });

  it('saves nothing beyond all of it, however long all went well', () => {
    const budget = new RetryBudget();
    for (let i = 0; i < 1_000; i += 1) budget.succeeded();

    for (let i = 0; i < 6; i += 1) budget.failed();

    expect(budget.allowsRetry()).to.equal(false);
  });
});
