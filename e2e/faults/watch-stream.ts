/** One open watch: its lines, one by one, from the API server through the filters to the client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiRequest } from './api-request.ts';
import type { WatchFilter, WatchVerdict } from './watch-filter.ts';
import { judgedLine, readEvent } from './watch-filter.ts';

export interface WatchStreamParts {
  readonly watch: ApiRequest;
  readonly upstream: IncomingMessage;
  readonly response: ServerResponse;
  /** Asked for each line, as they are at that moment. */
  readonly filters: Iterable<WatchFilter>;
}

export class WatchStream {
  /** Resolves when either side is gone; never rejects. */
  readonly ended: Promise<void>;
  readonly #parts: WatchStreamParts;
  /** Lines that wait, once one of them has to. */
  #held: string[] | undefined;
  #isOver = false;

  constructor(parts: WatchStreamParts) {
    this.#parts = parts;
    this.ended = this.#run();
  }

  /** Lets nothing through until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was held without asking the filters again. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) this.#write(line, 'pass');
    if (this.#isOver) this.#parts.response.end();
  }

  /** Breaks the connection to the client. */
  cut(): void {
    this.#parts.response.destroy();
  }

  async #run(): Promise<void> {
    const { upstream, response } = this.#parts;
    response.once('close', () => upstream.destroy());
    let rest = '';
    try {
      for await (const chunk of upstream.setEncoding('utf8')) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#take(line);
      }
      this.#isOver = true;
      if (this.#held === undefined) response.end();
    } catch {
      response.destroy();
    }
  }

  #take(line: string): void {
    if (this.#held !== undefined) return void this.#held.push(line);
    const verdict = this.#verdictOn(line);
    if (verdict === 'hold') this.#held = [line];
    else this.#write(line, verdict);
  }

  #verdictOn(line: string): WatchVerdict {
    const filters = [...this.#parts.filters];
    if (filters.length === 0) return 'pass';
    const event = readEvent(line);
    for (const filter of filters) {
      const verdict = filter(event, this.#parts.watch);
      if (verdict !== 'pass') return verdict;
    }
    return 'pass';
  }

  #write(line: string, verdict: Exclude<WatchVerdict, 'hold'>): void {
    const { response } = this.#parts;
    const { text, ending } = judgedLine(line, verdict);
    if (response.destroyed || response.writableEnded) return;
    if (ending === 'break') response.write(text, () => response.destroy());
    else if (ending === 'end') response.end(text);
    else if (text !== '') response.write(text);
  }
}
