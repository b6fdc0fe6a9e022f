/** What the environment does to the operator, request by request, and how people write it down. */
import type { ClusterErrorKind } from '../../../model/cluster-error.ts';
import type { Verb } from './connection.ts';
import type { StationName, TargetName } from './stations.ts';

/** One choice of the environment: at the nth request, counted from 1 over all processes of a trial. */
export interface Choice {
  readonly at: number;
  readonly fault: Fault;
}

export interface Schedule {
  readonly journey: string;
  /** In order. */
  readonly choices: readonly Choice[];
}

/** What the transport makes of a call. */
export type CallFault =
  /** Not done, and said so. */
  | { readonly kind: 'refused'; readonly error: ClusterErrorKind }
  /** Done, but the answer got lost for good. */
  | { readonly kind: 'lost' }
  /** Done, the answer got lost, and the transport did it again. */
  | { readonly kind: 'repeated' }
  /** The process is killed. */
  | { readonly kind: 'crash'; readonly isDone: boolean }
  /** The process is told to stop while the call is under way. */
  | { readonly kind: 'stop'; readonly isDone: boolean };

/** What somebody else does just before the request arrives. */
export type Act =
  | { readonly kind: 'cut' | 'edit' | 'usurp'; readonly target: TargetName }
  | { readonly kind: 'ask'; readonly station: StationName }
  | { readonly kind: 'remove' | 'recreate' | 'replace' };

/** `isLate`: the operator hears of it only when it has nothing else to do. */
export type Fault = CallFault | { readonly kind: 'act'; readonly act: Act; readonly isLate: boolean };

export interface FaultRow {
  readonly name: string;
  readonly fault: Fault;
  /** Requests that it can happen to; all of them when absent. */
  readonly verbs?: readonly Verb[];
  /** Combined with each other without gaps. */
  readonly isCore?: true;
}

const WRITES: readonly Verb[] = ['apply', 'delete', 'patch status', 'set finalizers'];

const CALL_FAULTS: readonly FaultRow[] = [
  { name: 'unavailable', fault: { kind: 'refused', error: 'unavailable' }, isCore: true },
  { name: 'forbidden', fault: { kind: 'refused', error: 'forbidden' } },
  {
    name: 'conflict',
    fault: { kind: 'refused', error: 'conflict' },
    verbs: ['apply', 'patch status', 'set finalizers'],
  },
  { name: 'refused', fault: { kind: 'refused', error: 'refused' }, verbs: ['apply', 'delete'] },
  { name: 'absent', fault: { kind: 'refused', error: 'absent' }, verbs: ['apply'] },
  { name: 'lost', fault: { kind: 'lost' }, verbs: WRITES, isCore: true },
  { name: 'repeated', fault: { kind: 'repeated' }, verbs: WRITES },
  { name: 'crashBefore', fault: { kind: 'crash', isDone: false }, isCore: true },
  { name: 'crashAfter', fault: { kind: 'crash', isDone: true }, verbs: WRITES, isCore: true },
  { name: 'stopBefore', fault: { kind: 'stop', isDone: false } },
  { name: 'stopAfter', fault: { kind: 'stop', isDone: true }, verbs: WRITES },
];

const ACTS: readonly Act[] = [
  { kind: 'cut', target: 'config' },
  { kind: 'cut', target: 'istiod' },
  { kind: 'cut', target: 'gateway' },
  { kind: 'cut', target: 'autoscaler' },
  { kind: 'edit', target: 'config' },
  { kind: 'edit', target: 'istiod' },
  { kind: 'edit', target: 'webhook' },
  { kind: 'usurp', target: 'config' },
  { kind: 'usurp', target: 'autoscaler' },
  { kind: 'ask', station: 'full' },
  { kind: 'ask', station: 'lean' },
  { kind: 'remove' },
  { kind: 'recreate' },
  { kind: 'replace' },
];

/** Every choice there is. Another fault is another row. */
export const FAULTS: readonly FaultRow[] = [
  ...CALL_FAULTS,
  ...ACTS.flatMap((act): readonly FaultRow[] => [
    { name: nameOf(act), fault: { kind: 'act', act, isLate: false } },
    { name: `${nameOf(act)}~`, fault: { kind: 'act', act, isLate: true } },
  ]),
];

const NAMES = new Map(FAULTS.map(({ name, fault }) => [fault, name]));

function nameOf(act: Act): string {
  if ('target' in act) return `${act.kind}:${act.target}`;
  return 'station' in act ? `${act.kind}:${act.station}` : act.kind;
}

/** The faults that can happen to a request. */
export function faultsFor(verb: Verb, rows: readonly FaultRow[] = FAULTS): readonly Fault[] {
  return rows.filter(({ verbs }) => verbs?.includes(verb) ?? true).map(({ fault }) => fault);
}

export function coreFaults(): readonly FaultRow[] {
  return FAULTS.filter(({ isCore }) => isCore === true);
}

/** Such as `full to lean: 7=lost 12=crashAfter`; `parseSchedule` reads it again. */
export function formatSchedule({ journey, choices }: Schedule): string {
  return `${journey}:${choices.map(({ at, fault }) => ` ${at}=${NAMES.get(fault) ?? '?'}`).join('')}`;
}

/** Throws when it is no schedule. */
export function parseSchedule(text: string): Schedule {
  const [journey = '', rest = ''] = text.split(/:(.*)/su);
  const words = rest.split(/\s+/u).filter((word) => word !== '');
  const choices = words.map((word) => {
    const [position, name] = word.split(/=(.*)/su);
    const row = FAULTS.find((fault) => fault.name === name);
    if (row === undefined || !(Number(position) >= 1))
      throw new Error(`"${word}" is no choice of a schedule`);
    return { at: Number(position), fault: row.fault };
  });
  return { journey, choices };
}
