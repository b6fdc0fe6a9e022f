import { expect } from 'chai';
import { refOf } from '../model/object.ts';
import { releaseOf } from '../model/outcome.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ComponentResult, FailureCause } from '../model/report.ts';
import { requeueOf } from './requeue.ts';
import type { Requeue } from './requeue.ts';
import { ISTIOD, planOf, reportOf } from './testing/builders.ts';

const NOTHING = { hash: 'abcd', create: 0, configure: 0, prune: 0, unchanged: 3, refused: 0 };

function failing(...retryable: readonly boolean[]): Outcome {
  const result = (isRetryable: boolean): ComponentResult => ({
    kind: 'failed',
    ref: refOf(ISTIOD),
    message: 'no',
    retryable: isRetryable,
  });
  const [base = true, pilot = base] = retryable;
  const report = reportOf({ components: { Base: result(base), Pilot: result(pilot) } });
  return { kind: 'failed', release: releaseOf(planOf()), report };
}

function forbidden(): Outcome {
  const result: ComponentResult = {
    kind: 'failed',
    ref: refOf(ISTIOD),
    message: 'no',
    retryable: false,
    forbidden: true,
  };
  const report = reportOf({ components: { Pilot: result } });
  return { kind: 'failed', release: releaseOf(planOf()), report };
}

function refused(cause: FailureCause): Outcome {
  const result: ComponentResult = {
    kind: 'failed',
    ref: refOf(ISTIOD),
    message: 'no',
    retryable: true,
    cause,
  };
  return {
    kind: 'failed',
    release: releaseOf(planOf()),
    report: reportOf({ components: { Pilot: result } }),
  };
}

function interrupted(kind: 'unavailable' | 'forbidden' | 'conflict' | 'internal'): Outcome {
  return { kind: 'interrupted', problem: { kind, message: 'no' }, changes: [] };
}

describe('requeueOf', () => {
  const ready = { release: releaseOf(planOf()), report: reportOf() };
  const cases: readonly [string, Outcome, Requeue][] = [
    [
      'looks at what is ready every ten minutes or so',
      { kind: 'ready', ...ready },
      { kind: 'around', ms: 600_000 },
    ],
    [
      'counts the pods of what is ready once a minute where that is asked for',
      { kind: 'ready', ...ready, release: { ...ready.release, dataPlane: { revisions: [] } } },
      { kind: 'around', ms: 60_000 },
    ],
    [
      'asks less and less often whether a control plane is still in use',
      { kind: 'inUse', usage: { kind: 'unknown', revision: 'default', cause: 'no' }, inventory: [] },
      { kind: 'backOff' },
    ],
    [
      'waits no longer than a minute for a webhook to come back',
      refused('webhook'),
      { kind: 'backOff', lastMs: 60_000 },
    ],
    [
      'waits no longer than a minute for a quota to be raised',
      refused('quota'),
      { kind: 'backOff', lastMs: 60_000 },
    ],
    ['spares an API server that is overloaded', refused('server'), { kind: 'backOff' }],
    [
      'looks at a rollout every ten seconds',
      { kind: 'progressing', ...ready, remainingMs: 20_000 },
      { kind: 'after', ms: 10_000 },
    ],
    [
      'looks at a rollout when its time is over',
      { kind: 'progressing', ...ready, remainingMs: 700 },
      { kind: 'after', ms: 700 },
    ],
    [
      'looks at what is not ready every half minute',
      { kind: 'notReady', ...ready, timeoutMs: 1 },
      { kind: 'around', ms: 30_000 },
    ],
    [
      'looks at a dispute when the first of its fields may be put back',
      {
        kind: 'disputed',
        ...ready,
        disputes: [60_000, 30_000].map((retryInMs) => ({ ref: refOf(ISTIOD), managers: [], retryInMs })),
      },
      { kind: 'after', ms: 30_000 },
    ],
    [
      'waits for a change of an invalid specification',
      { kind: 'invalid', diagnostics: [] },
      { kind: 'onChange' },
    ],
    [
      'looks at a dry run as seldom as at what is ready',
      { kind: 'dryRun', release: ready.release, plan: NOTHING },
      { kind: 'around', ms: 600_000 },
    ],
    ['waits for the end of a pause', { kind: 'paused' }, { kind: 'onChange' }],
    ['backs off when an object may be accepted later', failing(true), { kind: 'backOff' }],
    ['retries every minute what only a human can cure', failing(false), { kind: 'around', ms: 60_000 }],
    ['backs off when at least one failure may pass', failing(false, true), { kind: 'backOff' }],
    ['backs off when the API server is away', interrupted('unavailable'), { kind: 'backOff' }],
    ['tries again after a conflict', interrupted('conflict'), { kind: 'backOff' }],
    [
      'looks within seconds whether a missing right was granted, and at last every minute',
      interrupted('forbidden'),
      { kind: 'backOff', lastMs: 60_000 },
    ],
    [
      'does so too when an object was refused for lack of a right',
      forbidden(),
      { kind: 'backOff', lastMs: 60_000 },
    ],
    [
      'retries every minute after a fault of its own',
      interrupted('internal'),
      { kind: 'around', ms: 60_000 },
    ],
    [
      'backs off when a deletion is blocked',
      { kind: 'deletionBlocked', remaining: [], inventory: [] },
      { kind: 'backOff', lastMs: 60_000 },
    ],
    [
      'comes back to a resource that another operator may report on',
      { kind: 'ignored', revision: '', operatorRevision: 'a', attention: 'awaited' },
      { kind: 'after', ms: 3_000 },
    ],
  ];
  for (const [behaviour, outcome, requeue] of cases) {
    it(behaviour, () => {
      expect(requeueOf(outcome)).to.deep.equal(requeue);
    });
  }
});
