/** What the operator asked of the API server, from its audit log; without its Lease, which is no business of a mesh. */
import { readFile } from 'node:fs/promises';
import type { ControlPlane } from '../../../e2e/control-plane/control-plane.ts';
import type { JsonValue } from '../../../src/model/json.ts';
import { stringAt } from '../../../src/model/json.ts';
import { VERSION } from '../../../src/version.ts';

const USER_AGENT = `istio-operator/${VERSION}`;
const READS: ReadonlySet<string> = new Set(['get', 'list']);

export interface Calls {
  readonly watches: number;
  readonly reads: number;
  readonly writes: number;
}

/** Counts the operator's calls that began in a span of time. */
export async function operatorCalls(plane: ControlPlane, from: Date, to: Date): Promise<Calls> {
  const entries = await operatorEntries(plane);
  const inSpan = entries.filter((entry) => {
    const at = Date.parse(stringAt(entry, 'requestReceivedTimestamp') ?? '');
    return at >= from.getTime() && at < to.getTime();
  });
  const verbs = inSpan.map((entry) => stringAt(entry, 'verb') ?? '');
  const watches = verbs.filter((verb) => verb === 'watch').length;
  const reads = verbs.filter((verb) => READS.has(verb)).length;
  return { watches, reads, writes: verbs.length - watches - reads };
}

/** How many different things the operator watches. */
export async function operatorWatches(plane: ControlPlane): Promise<number> {
  const watches = (await operatorEntries(plane)).filter((entry) => stringAt(entry, 'verb') === 'watch');
  const subjects = watches.map((entry) => {
    const { pathname, searchParams } = new URL(stringAt(entry, 'requestURI') ?? '', 'https://server');
    return `${pathname}?${searchParams.get('labelSelector') ?? ''}&${searchParams.get('fieldSelector') ?? ''}`;
  });
  return new Set(subjects).size;
}

async function operatorEntries({ auditLogPath }: ControlPlane): Promise<readonly JsonValue[]> {
  if (auditLogPath === undefined) throw new Error('the control plane keeps no audit log');
  const lines = (await readFile(auditLogPath, 'utf8')).split('\n').filter((line) => line !== '');
  return lines
    .map((line) => JSON.parse(line) as JsonValue) // what JSON.parse returns is a JsonValue by definition
    .filter((entry) => stringAt(entry, 'userAgent') === USER_AGENT)
    .filter((entry) => stringAt(entry, 'objectRef', 'resource') !== 'leases');
}
