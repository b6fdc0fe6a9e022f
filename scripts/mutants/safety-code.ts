/** The code in which one wrong line costs a mesh, and the tests that must notice each wrong line. */

export interface SafetyArea {
  readonly name: string;
  /** What is mutated. */
  readonly modules: readonly string[];
  /** What is run against each mutant: what covers it, of these. Quick ones, since there are thousands of runs. */
  readonly tests: readonly string[];
}

export const SAFETY_CODE: readonly SafetyArea[] = [
  {
    name: 'lead',
    modules: [
      'src/cluster/lease.ts',
      'src/cluster/lease-store.ts',
      'src/cluster/deadline.ts',
      'src/cluster/fenced-request.ts',
      'src/controller/terms.ts',
    ],
    tests: [
      'src/cluster/{lease,lease-store,deadline,fenced-request,transport,cluster}.test.ts',
      'src/controller/terms.test.ts',
    ],
  },
  {
    name: 'transport',
    modules: ['src/cluster/transport.ts', 'src/cluster/retry.ts', 'src/cluster/api-error.ts'],
    tests: ['src/cluster/{transport,retry,api-error,cluster}.test.ts'],
  },
  {
    name: 'prune',
    modules: [
      'src/apply/prune.ts',
      'src/apply/inventory.ts',
      'src/apply/protected.ts',
      'src/apply/claim.ts',
      'src/apply/deletion-state.ts',
      'src/apply/delete-installation.ts',
      'src/apply/apply-plan.ts',
    ],
    tests: ['src/apply/*.test.ts'],
  },
  {
    name: 'claims',
    modules: [
      'src/controller/claims.ts',
      'src/controller/keep.ts',
      'src/controller/survey.ts',
      'src/controller/gate.ts',
      'src/controller/finalizer.ts',
    ],
    tests: ['src/controller/{claims,keep,survey,controller,modes,gate,finalizer}.test.ts'],
  },
  {
    name: 'queue',
    modules: ['src/controller/queue.ts', 'src/controller/pace.ts', 'src/controller/backoff.ts'],
    tests: ['src/controller/{queue,pace,backoff}.test.ts'],
  },
  {
    name: 'ceiling',
    modules: ['src/core/spec/gate.ts', 'src/core/spec/weight.ts', 'src/planner/guarded-planner.ts'],
    tests: ['src/core/spec/{gate,weight}.test.ts', 'src/planner/guarded-planner.test.ts'],
  },
];
