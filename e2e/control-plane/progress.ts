/** Tells a waiting person what goes on. One line a step, so that it reads well in a log without a terminal. */
import type { Clock } from '../../src/model/clock.ts';

export interface Progress {
  line(text: string): void;
}

export const stderrProgress: Progress = {
  line: (text) => void process.stderr.write(`control plane: ${text}\n`),
};

const HEARTBEAT_MS = 15_000;

export interface Reporting {
  readonly progress: Progress;
  readonly clock: Clock;
}

/**
 * Runs long work and tells its start, that it still runs (every 15 s) and how long it took. What the work throws is
 * passed on; its message is the caller's to tell.
 */
export async function withHeartbeat<T>(
  { progress, clock }: Reporting,
  step: { readonly name: string; readonly hint?: string },
  work: () => Promise<T>,
): Promise<T> {
  const startMs = clock.nowMs();
  const elapsed = (): string => `${Math.round((clock.nowMs() - startMs) / 1000)} s`;
  const finished = new AbortController();
  const beat = async (): Promise<void> => {
    await clock.sleep(HEARTBEAT_MS, finished.signal);
    while (!finished.signal.aborted) {
      progress.line(`${step.name}: ${elapsed()}`);
      await clock.sleep(HEARTBEAT_MS, finished.signal);
    }
  };

  progress.line(step.hint === undefined ? step.name : `${step.name} (${step.hint})`);
  const beating = beat();
  try {
    const result = await work();
    progress.line(`${step.name}: done in ${elapsed()}`);
    return result;
  } finally {
    finished.abort();
    await beating;
  }
}
