/** The audit log from a moment on: how often each object was created and deleted, whoever of our lives did it. */
import { open, stat } from 'node:fs/promises';
import type { JsonValue } from '../../src/model/json.ts';
import { numberAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface Tally {
  /** How often each was made, by `create RESOURCE NAMESPACE/NAME`, and deleted, by `delete …`. */
  readonly lives: ReadonlyMap<string, number>;
  /** Writes that were accepted, the creations and deletions among them; events and leases are not logged. */
  readonly writes: number;
}

const OURS = 'istio-operator/';
const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export class AuditTrail {
  readonly #path: string;
  #offset = 0;

  constructor({ auditLogPath }: ControlPlane) {
    if (auditLogPath === undefined) throw new Error('the control plane keeps no audit log');
    this.#path = auditLogPath;
  }

  /** Forgets everything up to now. */
  async skip(): Promise<void> {
    this.#offset = (await stat(this.#path)).size;
  }

  /** What the operator did since the last look. */
  async take(): Promise<Tally> {
    return tally(await this.#news());
  }

  async #news(): Promise<readonly string[]> {
    const file = await open(this.#path);
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(
        Buffer.alloc(size - this.#offset),
        0,
        size - this.#offset,
        this.#offset,
      );
      const end = buffer.lastIndexOf('\n') + 1; // the rest of a line that is just being written comes next time
      this.#offset += end;
      return buffer.toString('utf8', 0, end).split('\n');
    } finally {
      await file.close();
    }
  }
}

/** Counts what lines of an audit log say of the operator. */
export function tally(lines: readonly string[]): Tally {
  const lives = new Map<string, number>();
  let writes = 0;
  for (const line of lines) {
    const entry = line.includes(OURS) ? (JSON.parse(line) as JsonValue) : null; // JSON.parse gives JsonValues
    if (!isAcceptedWrite(entry)) continue;
    writes += 1;
    const life = lifeOf(entry);
    if (life !== undefined) lives.set(life, (lives.get(life) ?? 0) + 1);
  }
  return { lives, writes };
}

/** Objects that were created or deleted more often than in the reference. */
export function extraLives(reference: Tally, tried: Tally): readonly string[] {
  return [...tried.lives]
    .filter(([life, count]) => count > (reference.lives.get(life) ?? 0))
    .map(([life, count]) => `${life}: ${count} times instead of ${reference.lives.get(life) ?? 0}`);
}

function isAcceptedWrite(entry: JsonValue): boolean {
  return (
    (stringAt(entry, 'userAgent') ?? '').startsWith(OURS) &&
    WRITES.has(stringAt(entry, 'verb') ?? '') &&
    !(stringAt(entry, 'requestURI') ?? '').includes('dryRun=All') &&
    (numberAt(entry, 'responseStatus', 'code') ?? 500) < 300
  );
}

/** An apply that creates is answered with 201. */
function lifeOf(entry: JsonValue): string | undefined {
  const verb = stringAt(entry, 'verb') ?? '';
  const isCreation = numberAt(entry, 'responseStatus', 'code') === 201;
  if (!isCreation && verb !== 'delete') return undefined;
  const part = (key: string): string => stringAt(entry, 'objectRef', key) ?? '';
  return `${isCreation ? 'create' : verb} ${part('resource')} ${part('namespace')}/${part('name')}`;
}
