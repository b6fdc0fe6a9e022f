/**
 * The folder that a control plane lives in, and its marker file: who started it and which processes belong to it. The
 * marker lets a later start clean up after an owner that was killed and could not.
 */
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isJsonArray, isJsonObject } from '../../src/model/json.ts';
import { identifyProcess, isProcessIdentity, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

interface Marker {
  readonly owner: ProcessIdentity;
  readonly processes: readonly ProcessIdentity[];
}

const PREFIX = 'istio-operator-control-plane-';
const MARKER_FILE = 'control-plane.json';
const MARKER_KIND = 'istio-operator/control-plane';

/** Creates an empty folder that only this user can read, marked as ours from the first moment. */
export function createPlaneDirectory(root: string): string {
  const directory = mkdtempSync(join(root, PREFIX));
  recordProcesses(directory, []);
  return directory;
}

/** Writes down which processes belong to the folder, in one step and before anything else can happen. */
export function recordProcesses(directory: string, processes: readonly ProcessIdentity[]): void {
  const owner = identifyProcess(process.pid);
  const draft = join(directory, `${MARKER_FILE}.draft`);
  writeFileSync(draft, JSON.stringify({ kind: MARKER_KIND, owner, processes }));
  renameSync(draft, join(directory, MARKER_FILE));
}

/** Removes the folder. Synchronous, because a process that ends can do nothing else. */
export function removePlaneDirectory(directory: string): void {
  // A process that was just killed may still write for a moment.
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/** Kills a process and what it started, if it is still the one that is meant. */
export function killGroup(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(-identity.pid, signal); // negative: the whole group, which every server leads
  } catch {
    // It ended between the two lines.
  }
}

/**
 * Kills the processes and removes the folders of owners that are gone. Touches only folders with our prefix and marker
 * that belong to this user: elsewhere in a shared /tmp, a marker would be somebody else's way to have processes killed.
 * Returns the folders that it removed.
 */
export function sweepOrphans(root: string): readonly string[] {
  const orphans = readdirSync(root)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(root, name))
    .filter((directory) => isOwnDirectory(directory));
  return orphans.filter((directory) => sweep(directory));
}

function sweep(directory: string): boolean {
  const marker = readMarker(directory);
  if (marker === undefined || isRunning(marker.owner)) return false;
  for (const identity of marker.processes) killGroup(identity, 'SIGKILL');
  removePlaneDirectory(directory);
  return !existsSync(directory);
}

function isOwnDirectory(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isDirectory() && found.uid === process.getuid?.();
}

function readMarker(directory: string): Marker | undefined {
  const marker = parseFile(join(directory, MARKER_FILE));
  if (!isJsonObject(marker) || marker['kind'] !== MARKER_KIND) return undefined;
  const { owner, processes } = marker;
  if (!isProcessIdentity(owner) || !isJsonArray(processes)) return undefined;
  return {
    owner,
    processes: processes.filter((entry): entry is typeof entry & ProcessIdentity => isProcessIdentity(entry)),
  };
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // absent, or not ours
  }
}
