/** What each proof under faults shows, and how much of it is asked for. docs/reliability.md is made from this table. */

export interface Proof {
  readonly title: string;
  /** One sentence: what is done, and what must hold. */
  readonly shows: string;
  /** Of tier 2. */
  readonly target: string;
  /** The suite, a file beside this one. */
  readonly suite: string;
}

/** A suite that proves something else adds a row here and calls `recordProof` with its key. */
export const PROOFS = {
  crashes: {
    title: 'Crash at every write',
    shows:
      'The operator is killed before or after one write and started again: the cluster ends byte-equal to an undisturbed run, no object is created or deleted more often than there, and a further restart writes nothing.',
    target: '≥ 600 plans, 0 differences',
    suite: 'crash-sweep.e2e.ts',
  },
  views: {
    title: 'Stale and unobserved views',
    shows:
      'A restarted operator is shown lists from the past, or a running one misses, gets late or loses its watch events: nothing wanted is deleted, and it ends as if it had seen all.',
    target: '≥ 100 plans, 0 differences',
    suite: 'views.e2e.ts',
  },
  apiFaults: {
    title: 'API faults by class of request',
    shows:
      'Each class of request meets each fault that can happen to it: the operator goes on, never exits, and ends as undisturbed.',
    target: '≥ 90 cells, 0 differences',
    suite: 'api-faults.e2e.ts',
  },
  restarts: {
    title: 'Restarts of API server and etcd',
    shows:
      'After SIGKILL of either, what is changed behind the operator is repaired once the server is ready again, without a restart of the operator.',
    target: '≥ 20 restarts, watches back ≤ 5 s after readyz',
    suite: 'api-faults.e2e.ts',
  },
  poison: {
    title: 'Poison resources',
    shows:
      'Resources that are too deep, too wide, too long, of wrong types or made to trip a parser are created beside a healthy one: each is refused or gets its status, the operator stays the same process, and the healthy one is reconciled meanwhile.',
    target: '≥ 70 resources, 0 not contained, status ≤ 10 s, event loop late ≤ 100 ms (p99)',
    suite: 'poison.e2e.ts',
  },
} as const satisfies Readonly<Record<string, Proof>>;

export type ProofName = keyof typeof PROOFS;
