/** What planning may take in the operator. The memory limit in deploy/ has room for this heap beside the operator's own. */
export const PLANNING_LIMITS = { deadlineMs: 3_000, heapMiB: 96, idleMs: 30_000 } as const;
