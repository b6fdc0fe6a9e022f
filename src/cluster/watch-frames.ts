/** The frames of a watch, one JSON object a line. */
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';

const FRAME_TYPES = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] as const;

export interface WatchFrame {
  readonly type: (typeof FRAME_TYPES)[number];
  readonly object: JsonObject;
}

/** Thrown for a line that is no frame: an event is lost, so only a new list tells the truth. */
export class GarbledFrame extends ClusterError {
  constructor() {
    super('the watch sent something that is no event', { kind: 'unavailable', verb: 'watch' });
  }
}

/**
 * Splits text into frames. A last line without an end is dropped: its connection was cut, and as nobody has seen the
 * event, a watch from the last resourceVersion brings it again.
 */
export async function* framesOf(chunks: AsyncIterable<string>): AsyncGenerator<WatchFrame> {
  let rest = '';
  for await (const chunk of chunks) {
    // Only the new part is searched, so that one large object in many chunks costs no quadratic time.
    const end = chunk.lastIndexOf('\n');
    if (end === -1) {
      rest += chunk;
      continue;
    }
    const lines = (rest + chunk.slice(0, end)).split('\n');
    rest = chunk.slice(end + 1);
    for (const line of lines) if (line.trim() !== '') yield frameOf(line);
  }
}

function frameOf(line: string): WatchFrame {
  const frame = parse(line);
  const type = FRAME_TYPES.find((known) => isJsonObject(frame) && frame['type'] === known);
  if (!isJsonObject(frame) || type === undefined || !isJsonObject(frame['object'])) throw new GarbledFrame();
  return { type, object: frame['object'] };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new GarbledFrame();
  }
}
