/**
 * Loaded into a process (`node --import`), it lets a signal block the event loop, as a long calculation would: nothing
 * else happens until that is over. The query of its URL says for how many milliseconds: `?SIGUSR2=1000&SIGHUP=4000`.
 */
const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

for (const [signal, ms] of new URL(import.meta.url).searchParams) {
  // Unlike a busy loop it leaves the processor to the others.
  process.on(signal, () => void Atomics.wait(cell, 0, 0, Number(ms)));
}
