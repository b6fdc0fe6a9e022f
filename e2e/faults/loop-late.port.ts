/** How late an event loop was since its process was started. */
export interface LoopLate {
  /** The 99th percentile. */
  readonly p99Ms: number;
  readonly maxMs: number;
}
