/**
 * Loaded into the operator before anything else (`node --expose-gc --import`), it measures the process from inside: at
 * SIGUSR2 it collects garbage, counts, and writes one line of JSON, of the shape `VitalSigns`, to file descriptor 3.
 */
import { EventEmitter } from 'node:events';
import { readdirSync, readlinkSync, writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { queryObjects } from 'node:v8';
import type { VitalSigns } from './vital-signs.port.ts';

const REPORT_FD = 3;
const RESOLUTION_MS = 10;
const MIB = 2 ** 20;

const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
loop.enable();
const EventListener = listenerClass();
process.on('SIGUSR2', () => writeSync(REPORT_FD, `${JSON.stringify(measured())}\n`));

function measured(): VitalSigns {
  // Of the operator's own work: what we do now comes after it, and is forgotten at the end.
  const loopLateMs = Math.max(0, loop.percentile(99) / 1e6 - RESOLUTION_MS);
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  const signs = {
    heldMib: (heapUsed + external) / MIB,
    residentMib: rss / MIB,
    sockets: openSockets(),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    listeners: queryObjects(EventListener, { format: 'count' }) + emitterListeners(),
    signals: queryObjects(AbortSignal, { format: 'count' }),
    emitters: queryObjects(EventEmitter, { format: 'count' }),
    loopLateMs,
  };
  loop.reset();
  return signs;
}

/** Twice: what was only held by finalized objects goes with the second. */
function collect(): void {
  if (globalThis.gc === undefined) throw new Error('start the process with --expose-gc');
  globalThis.gc();
  globalThis.gc();
}

function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith('socket:')).length;
}

/** Empty for the descriptor by which the folder itself was read. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

/** Of the process itself, the emitter that lives longest. */
function emitterListeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}

/**
 * What Node.js keeps for each `addEventListener`, of any target. The class has no name to the outside: it can only be
 * had from a target that has a listener.
 */
function listenerClass(): new () => unknown {
  const { signal } = new AbortController();
  signal.addEventListener('abort', () => undefined);
  const symbol = Object.getOwnPropertySymbols(signal).find(({ description }) => description === 'kEvents');
  const events = symbol === undefined ? undefined : property(signal, symbol);
  const get = property(events, 'get');
  const first =
    typeof get === 'function' ? property(Reflect.apply(get, events, ['abort']), 'next') : undefined;
  const found = property(first, 'constructor');
  if (typeof found !== 'function') throw new Error('this Node.js keeps its listeners elsewhere');
  return found as new () => unknown; // the constructor of an object of a class
}

function property(value: unknown, key: string | symbol): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
