/** What the API server saw: the audit log is the truth about who wrote what. */
import { readFile } from 'node:fs/promises';
import type { JsonValue } from '../../src/model/json.ts';
import { numberAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface Write {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
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
  const { auditLogPath } = plane;
  if (auditLogPath === undefined) throw new Error('the control plane keeps no audit log');
  const lines = (await readFile(auditLogPath, 'utf8')).split('\n').filter((line) => line !== '');
  return lines
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
  };
}
