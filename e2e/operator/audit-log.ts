/** What the API server saw: the audit log is the truth about who wrote what. */
import { open, readFile } from 'node:fs/promises';
import type { JsonValue } from '../../src/model/json.ts';
import { numberAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface Write {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  /** When the API server received it; since the epoch. */
  readonly atMs: number;
}

const WRITING_VERBS: ReadonlySet<string> = new Set([
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
]);

/** Every write of a client, in order, but for its lease. Events are not logged. */
export async function writesOf(plane: ControlPlane, userAgent: string): Promise<readonly Write[]> {
  return writesIn(await readFile(auditLogOf(plane), 'utf8'), userAgent);
}

/** Reads what was added to the log since the last look, so that long runs need not read all of it each time. */
export class AuditTail {
  readonly #plane: ControlPlane;
  #offset = 0;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  async writesOf(userAgent: string): Promise<readonly Write[]> {
    const file = await open(auditLogOf(this.#plane));
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.max(0, size - this.#offset));
      await file.read(buffer, 0, buffer.length, this.#offset);
      // The last line may be written at this very moment.
      const complete = buffer.subarray(0, buffer.lastIndexOf('\n') + 1);
      this.#offset += complete.length;
      return writesIn(complete.toString('utf8'), userAgent);
    } finally {
      await file.close();
    }
  }
}

function auditLogOf({ auditLogPath }: ControlPlane): string {
  if (auditLogPath === undefined) throw new Error('the control plane keeps no audit log');
  return auditLogPath;
}

function writesIn(log: string, userAgent: string): readonly Write[] {
  return log
    .split('\n')
    .filter((line) => line.includes(userAgent))
    .map((line) => JSON.parse(line) as JsonValue) // what JSON.parse returns is a JsonValue by definition
    .filter((entry) => stringAt(entry, 'userAgent') === userAgent)
    .filter((entry) => stringAt(entry, 'objectRef', 'resource') !== 'leases')
    .filter((entry) => WRITING_VERBS.has(stringAt(entry, 'verb') ?? ''))
    .filter((entry) => !(stringAt(entry, 'requestURI') ?? '').includes('dryRun=All'))
    .map(writeOf);
}

function writeOf(entry: JsonValue): Write {
  const subresource = stringAt(entry, 'objectRef', 'subresource');
  const resource = stringAt(entry, 'objectRef', 'resource') ?? '';
  return {
    verb: stringAt(entry, 'verb') ?? '',
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace: stringAt(entry, 'objectRef', 'namespace') ?? '',
    name: stringAt(entry, 'objectRef', 'name') ?? '',
    code: numberAt(entry, 'responseStatus', 'code') ?? 0,
    atMs: Date.parse(stringAt(entry, 'requestReceivedTimestamp') ?? ''),
  };
}
