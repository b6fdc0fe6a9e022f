/** A lock between processes: a file that names its holder, so that a dead holder's lock can be told from a live one. */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../src/model/clock.ts';
import { identifyProcess, isProcessIdentity, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface LockSettings {
  readonly path: string;
  readonly clock: Clock;
  /** Called again and again while another process holds the lock. */
  readonly onWait: (holder: ProcessIdentity, waitedMs: number) => void;
}

interface Lock {
  /** The file's whole text; no two locks ever have the same. */
  readonly text: string;
  /** The process that holds it, or undefined when that is gone. */
  readonly liveHolder: ProcessIdentity | undefined;
}

const POLL_MS = 100;

/**
 * Runs work while no other process runs work under the same path. Waits as long as the holder lives; the lock of a
 * holder that is gone is taken over. A holder that can't be seen from here (in another container, on another host)
 * counts as gone, so the work must bear to be done twice.
 */
export async function withFileLock<T>(settings: LockSettings, work: () => Promise<T>): Promise<T> {
  const text = lockText();
  await acquire(settings, text);
  try {
    return await work();
  } finally {
    removeIfStill(settings.path, text);
  }
}

async function acquire({ path, clock, onWait }: LockSettings, text: string): Promise<void> {
  const startMs = clock.nowMs();
  while (!createLock(path, text)) {
    const lock = readLock(path);
    if (lock === undefined) continue; // released just now
    if (lock.liveHolder === undefined) removeStaleLock(path, lock);
    else onWait(lock.liveHolder, clock.nowMs() - startMs);
    await clock.sleep(POLL_MS, new AbortController().signal);
  }
}

function lockText(): string {
  return JSON.stringify({ ...identifyProcess(process.pid), nonce: randomUUID() });
}

/** Creates a lock with its content in one step: nobody ever reads half of it. False when there is one already. */
function createLock(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readLock(path: string): Lock | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const holder = parse(text);
  return { text, liveHolder: isProcessIdentity(holder) && isRunning(holder) ? holder : undefined };
}

/**
 * Removes the lock of a dead holder. Two waiters may see the same stale lock, and the slower one must not remove what
 * the faster one has put in its place since. So the right to remove is a lock of its own, held for microseconds, and
 * whoever has it looks again.
 */
function removeStaleLock(path: string, stale: Lock): void {
  const claimPath = `${path}.claim`;
  const claim = lockText();
  if (createLock(claimPath, claim)) {
    removeIfStill(path, stale.text);
    removeIfStill(claimPath, claim);
    return;
  }
  const other = readLock(claimPath);
  if (other !== undefined && other.liveHolder === undefined) removeIfStill(claimPath, other.text);
}

function removeIfStill(path: string, text: string): void {
  if (readIfThere(path) === text) rmSync(path, { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not written by us, so not held by anybody
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
