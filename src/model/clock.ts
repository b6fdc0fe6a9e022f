/** Time as a parameter, so that tests need not wait for it. */
export interface Clock {
  nowMs(): number;
  /** Resolves after that time, or at once when the signal is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
