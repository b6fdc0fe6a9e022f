/** Time that passes exactly as fast as it is slept away. */
import type { Clock } from '../../model/clock.ts';

export class JumpingClock implements Clock {
  #nowMs = 0;
  readonly pauses: number[] = [];
  /** What happens in the cluster while the engine sleeps. */
  whileAsleep: (nowMs: number) => void = () => {};

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.pauses.push(ms);
    this.#nowMs += ms;
    this.whileAsleep(this.#nowMs);
  }
}
