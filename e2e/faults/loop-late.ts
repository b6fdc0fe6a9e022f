/**
 * Loaded into the operator before anything else (`node --import`), it measures how late its event loop is, from the start
 * on: at SIGUSR2 it writes one line of JSON, of the shape `LoopLate`, to file descriptor 3. The operator's own metric
 * begins anew with each scrape, and so tells of a moment and not of the whole run.
 */
import { writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopLate } from './loop-late.port.ts';

const REPORT_FD = 3;
const RESOLUTION_MS = 20;

const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
loop.enable();
process.on('SIGUSR2', () => {
  const report: LoopLate = { p99Ms: lateMs(loop.percentile(99)), maxMs: lateMs(loop.max) };
  writeSync(REPORT_FD, `${JSON.stringify(report)}\n`);
});

/** The histogram has the whole time between two turns, of which the resolution was meant. */
function lateMs(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1e6 - RESOLUTION_MS));
}
