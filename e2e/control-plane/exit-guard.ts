/**
 * Cleans up however the process ends, short of SIGKILL. Signals and `exit` belong to the whole process, which is why
 * this is the one module here that keeps state of its own.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const cleanups = new Set<() => void>();

/**
 * Runs a synchronous clean-up when the process ends: by itself, by an uncaught error or by a signal. Where somebody
 * else listens for a signal too, they decide whether the process ends, and the clean-up waits for that.
 * Returns the way to withdraw the clean-up.
 */
export function onProcessEnd(cleanup: () => void): () => void {
  if (cleanups.size === 0) listen();
  cleanups.add(cleanup);
  return () => {
    cleanups.delete(cleanup);
    if (cleanups.size === 0) stopListening();
  };
}

function listen(): void {
  process.on('exit', cleanUp);
  for (const signal of SIGNALS) process.on(signal, endBySignal);
}

function stopListening(): void {
  process.off('exit', cleanUp);
  for (const signal of SIGNALS) process.off(signal, endBySignal);
}

function endBySignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  cleanUp();
  stopListening();
  // With no listener left, this ends the process the way its parent expects: killed by the signal.
  process.kill(process.pid, signal);
}

function cleanUp(): void {
  for (const cleanup of cleanups) {
    try {
      cleanup();
    } catch (error) {
      process.stderr.write(`control plane: clean-up failed: ${String(error)}\n`);
    }
  }
  cleanups.clear();
}
