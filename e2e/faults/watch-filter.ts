/** Meddles with the events of one watch, line by line. */
import type { JsonObject } from '../../src/model/json.ts';
import { isJsonObject, stringAt } from '../../src/model/json.ts';
import type { ApiRequest } from './api-request.ts';

export interface WatchEvent {
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`; empty for a line that is no event. */
  readonly type: string;
  readonly object: JsonObject;
}

/**
 * - `pass`: goes through.
 * - `drop`: is lost, as if it had never been sent.
 * - `hold`: stays back until release, and all that follows in this watch with it.
 * - `gone`: an event `ERROR` with 410 instead, and the end.
 * - `half`: half of the line, and the connection breaks.
 * - `cut`: the connection breaks.
 */
export type WatchVerdict = 'pass' | 'drop' | 'hold' | 'gone' | 'half' | 'cut';

export type WatchFilter = (event: WatchEvent, watch: ApiRequest) => WatchVerdict;

/** What to do with the connection after a line. */
export type LineEnd = 'open' | 'end' | 'break';

export interface FilteredLine {
  /** Goes to the client; may be empty. */
  readonly text: string;
  readonly ending: LineEnd;
}

const GONE_LINE = JSON.stringify({
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'Expired',
    code: 410,
    message: 'too old resource version',
  },
});

/** Reads a line of a watch. Never throws. */
export function readEvent(line: string): WatchEvent {
  try {
    const frame: unknown = JSON.parse(line);
    if (!isJsonObject(frame) || !isJsonObject(frame['object'])) return { type: '', object: {} };
    return { type: stringAt(frame, 'type') ?? '', object: frame['object'] };
  } catch {
    return { type: '', object: {} };
  }
}

/** What a verdict other than `hold` makes of a line; the line has no line feed at its end. */
export function judgedLine(line: string, verdict: Exclude<WatchVerdict, 'hold'>): FilteredLine {
  switch (verdict) {
    case 'pass':
      return { text: `${line}\n`, ending: 'open' };
    case 'drop':
      return { text: '', ending: 'open' };
    case 'gone':
      return { text: `${GONE_LINE}\n`, ending: 'end' };
    case 'half':
      return { text: line.slice(0, Math.ceil(line.length / 2)), ending: 'break' };
    case 'cut':
      return { text: '', ending: 'break' };
  }
}
