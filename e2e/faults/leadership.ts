/** Who led when, and who wrote when, from the audit log: two replicas must never write in each other's time. */
import { readFile } from 'node:fs/promises';
import type { JsonValue } from '../../src/model/json.ts';
import { numberAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

/** A write that the API server accepted, of the lease or of anything else. */
export interface Deed {
  /** The user of the API; each replica has its own. */
  readonly by: string;
  /** `patch deployments istio-system/istiod`. */
  readonly what: string;
  /** When it was done, just before the answer was sent, in microseconds since the epoch. */
  readonly doneUs: number;
  /** Of a write of the lease: who holds it from then on, empty when it was given back. */
  readonly holder?: string;
}

export interface Takeover {
  readonly by: string;
  readonly atUs: number;
}

export interface Leadership {
  /** Each change of the holder to another replica or another process. */
  readonly takeovers: readonly Takeover[];
  /** Writes that ended when somebody else held the lease already, or nobody. */
  readonly overlapping: readonly string[];
}

/** Judges the deeds of several replicas; what others wrote must not be among them. */
export function judgeLeadership(deeds: readonly Deed[]): Leadership {
  const inOrder = deeds.toSorted((left, right) => left.doneUs - right.doneUs);
  const takeovers: (Takeover & { readonly holder: string })[] = [];
  const overlapping: string[] = [];
  let lease: Deed | undefined;
  for (const deed of inOrder) {
    if (deed.holder === undefined) {
      if (lease?.holder === '' || lease?.by !== deed.by) overlapping.push(`${deed.by}: ${deed.what}`);
      continue;
    }
    if (deed.holder !== '' && deed.holder !== takeovers.at(-1)?.holder)
      takeovers.push({ by: deed.by, atUs: deed.doneUs, holder: deed.holder });
    lease = deed;
  }
  return { takeovers: takeovers.map(({ by, atUs }) => ({ by, atUs })), overlapping };
}

/** How the lead went to somebody; times as in a Deed. */
export interface HandOver {
  /** When it was given back, if it was. */
  readonly releasedUs?: number;
  readonly heldUs: number;
  /** When the new leader first wrote anything but the lease. */
  readonly wroteUs: number;
}

/** The first hand-over to one of these users after a moment; undefined when it did not come to a write. */
export function handOverAfter(
  deeds: readonly Deed[],
  sinceUs: number,
  users: readonly string[],
): HandOver | undefined {
  const after = deeds
    .filter(({ doneUs }) => doneUs >= sinceUs)
    .toSorted((left, right) => left.doneUs - right.doneUs);
  const release = after.find(({ holder }) => holder === '');
  const takeover = after.find(({ by, holder = '' }) => holder !== '' && users.includes(by));
  const write = after.find(
    ({ by, holder, doneUs }) =>
      takeover !== undefined && by === takeover.by && holder === undefined && doneUs >= takeover.doneUs,
  );
  if (takeover === undefined || write === undefined) return undefined;
  return {
    heldUs: takeover.doneUs,
    wroteUs: write.doneUs,
    ...(release !== undefined && release.doneUs <= takeover.doneUs ? { releasedUs: release.doneUs } : {}),
  };
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** What these users wrote with success, from the audit log. */
export async function deedsOf(plane: ControlPlane, users: readonly string[]): Promise<readonly Deed[]> {
  const log = await readFile(plane.auditLogPath ?? '', 'utf8');
  // The last line may be written at this very moment.
  const lines = log.slice(0, log.lastIndexOf('\n')).split('\n');
  return lines
    .map((line) => JSON.parse(line) as JsonValue) // what JSON.parse returns is a JsonValue by definition
    .filter((entry) => users.includes(stringAt(entry, 'user', 'username') ?? ''))
    .filter((entry) => WRITES.has(stringAt(entry, 'verb') ?? ''))
    .filter((entry) => (numberAt(entry, 'responseStatus', 'code') ?? 0) < 300)
    .filter((entry) => !(stringAt(entry, 'requestURI') ?? '').includes('dryRun=All'))
    .map(deedOf);
}

function deedOf(entry: JsonValue): Deed {
  const field = (name: string): string => stringAt(entry, 'objectRef', name) ?? '';
  const holder = stringAt(entry, 'requestObject', 'spec', 'holderIdentity') ?? '';
  return {
    by: stringAt(entry, 'user', 'username') ?? '',
    what: `${stringAt(entry, 'verb') ?? ''} ${field('resource')} ${field('namespace')}/${field('name')}`,
    doneUs: microseconds(stringAt(entry, 'stageTimestamp') ?? ''),
    ...(field('resource') === 'leases' ? { holder } : {}),
  };
}

/** The API server prints six digits of fraction; Date reads three. */
function microseconds(time: string): number {
  const [, fraction = ''] = /\.(\d+)Z$/.exec(time) ?? [];
  const wholeMs = Date.parse(time.replace(/\.\d+Z$/, 'Z'));
  return wholeMs * 1_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
