/** The cells of the matrix: which class of request meets which fault. */
import type { ApiRequest, RequestClass } from './api-request.ts';
import type { Fault } from './fault-rule.ts';

/** How the operator is brought to make such a request, beside the work that lies ahead. */
export type Provocation = 'none' | 'restart' | 'cutWatches';

interface Target {
  readonly name: string;
  readonly when: (request: ApiRequest) => boolean;
  readonly provocation: Provocation;
  /** A watch never ends by itself, so nothing can be done with the whole of its answer. */
  readonly isStream: boolean;
}

const CREATED = 'horizontalpodautoscalers';

function target(name: string, wanted: RequestClass, provocation: Provocation = 'none'): Target {
  return { name, when: (request) => request.class === wanted, provocation, isStream: false };
}

/** The two stations differ in an autoscaler, which one of them lacks: so one way creates it, and the other deletes it. */
const TARGETS: readonly Target[] = [
  target('get', 'get'),
  target('list', 'list', 'restart'),
  { ...target('watch', 'watch', 'cutWatches'), isStream: true },
  {
    ...target('create', 'apply'),
    when: (request) => request.class === 'apply' && request.resource === CREATED,
  },
  {
    ...target('update', 'apply'),
    when: (request) => request.class === 'apply' && request.resource !== CREATED,
  },
  target('delete', 'delete'),
  target('status', 'status'),
  // Each process may tell a burst of events about a resource, and then only one in a while.
  target('event', 'event', 'restart'),
  target('discovery', 'discovery', 'restart'),
  target('lease', 'lease'),
];

interface FaultRow {
  readonly name: string;
  readonly fault: Fault;
  readonly fitsStreams: boolean;
}

/** Often enough that tries below the controller's own do not always get by. */
export const STRIKES = 2;

const FAULTS: readonly FaultRow[] = [
  { name: '409', fault: { kind: 'status', code: 409, reason: 'Conflict' }, fitsStreams: true },
  { name: '429', fault: { kind: 'status', code: 429, retryAfterS: 1 }, fitsStreams: true },
  { name: '500', fault: { kind: 'status', code: 500, reason: 'InternalError' }, fitsStreams: true },
  { name: '502', fault: { kind: 'status', code: 502, reason: 'BadGateway' }, fitsStreams: true },
  { name: '503', fault: { kind: 'status', code: 503, reason: 'ServiceUnavailable' }, fitsStreams: true },
  { name: '504', fault: { kind: 'status', code: 504, reason: 'Timeout' }, fitsStreams: true },
  { name: 'reset', fault: { kind: 'reset' }, fitsStreams: true },
  { name: 'hang', fault: { kind: 'hang' }, fitsStreams: true },
  { name: 'late', fault: { kind: 'delay', ms: 1_500 }, fitsStreams: true },
  { name: 'truncated', fault: { kind: 'truncate' }, fitsStreams: false },
  { name: 'garbled', fault: { kind: 'garble' }, fitsStreams: false },
  { name: 'answer lost', fault: { kind: 'dropAnswer' }, fitsStreams: false },
  { name: 'done twice', fault: { kind: 'duplicate' }, fitsStreams: false },
];

export interface Cell {
  readonly target: Target;
  readonly fault: FaultRow;
}

/** Every pair that makes sense. */
export function faultCells(): readonly Cell[] {
  return TARGETS.flatMap((met) =>
    FAULTS.filter(({ fitsStreams }) => fitsStreams || !met.isStream).map((fault) => ({ target: met, fault })),
  );
}

export function describeCell({ target: met, fault }: Cell): string {
  return `${met.name} × ${fault.name}`;
}
