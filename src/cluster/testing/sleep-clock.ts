import { FakeClock } from '../../controller/testing/fake-clock.ts';
import { until } from './until.ts';

/** A fake clock that knows which sleeps are going on. */
export class SleepClock extends FakeClock {
  readonly #pending: number[] = [];

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.#pending.push(ms);
    await super.sleep(ms, signal);
    this.#pending.splice(this.#pending.indexOf(ms), 1);
  }

  /** Waits until somebody sleeps for exactly that long, then lets that time pass. */
  async waitOut(ms: number): Promise<void> {
    await until(`somebody sleeps for ${ms} ms`, () => this.#pending.includes(ms));
    await this.advance(ms);
  }

  isSomebodySleepingFor(ms: number): boolean {
    return this.#pending.includes(ms);
  }
}
