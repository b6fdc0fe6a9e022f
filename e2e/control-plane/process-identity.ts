/** Tells processes apart for longer than they live: a number alone is given to another process one day. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isJsonObject } from '../../src/model/json.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, as text that is only good for comparing. */
  readonly started: string;
}

export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  return isJsonObject(value) && Number.isInteger(value['pid']) && typeof value['started'] === 'string';
}

/** Identifies a running process; undefined when there is none of this number, or only its unreaped remains. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedElsewhere(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Tells whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.started === identity.started;
}

function startedOnLinux(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold blanks and parentheses itself.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksSinceBoot = fields[18];
  if (ticksSinceBoot === undefined || state === 'Z' || state === 'X') return undefined;
  // Files outlive a reboot, and ticks begin anew with it.
  return `${readIfThere('/proc/sys/kernel/random/boot_id').trim()}/${ticksSinceBoot}`;
}

function startedElsewhere(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...started] = line.split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined; // ps exits with 1 when there is no such process
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
