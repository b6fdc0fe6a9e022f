/**
 * Calls to the API server as raw JSON: what we send is what arrives, field by field. Every call has a deadline, is
 * tried again where that can help, and fails with a ClusterError and nothing else.
 */
import type { Dispatcher } from 'undici';
import type { Clock } from '../model/clock.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import type { Attempt } from './api-error.ts';
import { cancelledError, errorFromAnswer, errorFromConnection, timeoutError } from './api-error.ts';
import type { Lane } from './connections.ts';
import { Connections } from './connections.ts';
import type { Access, Credentials } from './credentials.ts';
import type { Deadline } from './deadline.ts';
import { startDeadline } from './deadline.ts';
import { requestFenced } from './fenced-request.ts';
import { RetryBudget, retryWaitMs } from './retry.ts';

/** Asked before every try of a write, so that a replica that lost the lease writes nothing more. */
export interface WriteFence {
  /** How much longer writes may be under way; 0 when none may start. */
  remainingMs(): number;
  /**
   * Told of each write. Others may write once this is resolved: the write was answered, or not sent, or its time is over.
   * It never rejects.
   */
  sent(landed: Promise<void>): void;
}

export interface ApiRequest extends Attempt {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/api` or `/apis` on, encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: { readonly contentType: string; readonly json: JsonObject };
  readonly accept?: string;
  readonly signal: AbortSignal;
  /** For the call with all its tries; 10 s when absent. */
  readonly timeoutMs?: number;
  readonly lane?: Lane;
  /** False for calls whose caller tries again by itself. */
  readonly retry?: boolean;
  readonly fence?: WriteFence;
}

/** One exchange, for `rest_client_requests_total`. */
export interface Exchange {
  /** HTTP status, or `<error>` when there was no answer. */
  readonly code: string;
  readonly method: string;
  readonly host: string;
}

export interface Transport {
  /** The answer's JSON object. */
  request(request: ApiRequest): Promise<JsonObject>;
  /**
   * Opens a stream; rejects when the server refuses it. The deadline covers only the opening, and nothing is retried.
   * The iteration fails with a ClusterError when the connection breaks or the signal is aborted.
   */
  stream(request: ApiRequest): Promise<AsyncIterable<string>>;
  /** Resolves when every call has ended; abort their signals first. */
  close(): Promise<void>;
}

export interface TransportDeps {
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  /** Such as `istio-operator/0.1.0`. */
  readonly userAgent: string;
  readonly onExchange?: (exchange: Exchange) => void;
}

interface Sending {
  readonly fence: WriteFence;
  readonly pool: Dispatcher;
  readonly options: Dispatcher.RequestOptions;
  readonly deadline: Deadline;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Of a caller that does not give up. */
const NEVER = new AbortController().signal;

export function createTransport(deps: TransportDeps): Transport {
  return new HttpTransport(deps);
}

class HttpTransport implements Transport {
  readonly #deps: TransportDeps;
  readonly #connections: Connections;
  readonly #budget = new RetryBudget();
  readonly #server: URL;

  constructor(deps: TransportDeps) {
    this.#deps = deps;
    this.#server = new URL(deps.credentials.server);
    this.#connections = new Connections(deps.credentials.proxyUrl);
  }

  async request(request: ApiRequest): Promise<JsonObject> {
    const deadline = this.#startDeadline(request);
    try {
      for (let tries = 1; ; tries += 1) {
        const result = await this.#attempt(request, deadline);
        if (!(result instanceof ClusterError)) return result;
        const waitMs = this.#waitBeforeRetry(request, result, tries, deadline);
        if (waitMs === undefined) throw result;
        await this.#deps.clock.sleep(waitMs, deadline.signal);
      }
    } finally {
      deadline.end();
    }
  }

  async stream(request: ApiRequest): Promise<AsyncIterable<string>> {
    const deadline = this.#startDeadline(request);
    try {
      const answer = await this.#exchange(request, deadline);
      if (answer.statusCode !== 200) throw await refusal(request, answer);
      return this.#textOf(request, answer.body);
    } catch (error) {
      throw this.#asClusterError(error, request, deadline);
    } finally {
      deadline.end();
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  #startDeadline(request: ApiRequest): Deadline {
    const timeoutMs = Math.min(
      request.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      request.fence?.remainingMs() ?? Infinity,
    );
    return startDeadline(this.#deps.clock, request.signal, timeoutMs);
  }

  async #attempt(request: ApiRequest, deadline: Deadline): Promise<JsonObject | ClusterError> {
    if (!isWithinTerm(request)) return lostLease(request);
    try {
      const answer = await this.#exchange(request, deadline);
      if (answer.statusCode >= 300) throw await refusal(request, answer);
      const json = parseObject(await answer.body.text());
      // What the server did is unknown, as with a broken connection.
      if (json === undefined)
        throw new ClusterError('the answer is not JSON', { ...attemptOf(request), kind: 'unavailable' });
      this.#budget.succeeded();
      return json;
    } catch (error) {
      return this.#asClusterError(error, request, deadline);
    }
  }

  #waitBeforeRetry(
    request: ApiRequest,
    error: ClusterError,
    tries: number,
    deadline: Deadline,
  ): number | undefined {
    if (error.kind !== 'unavailable') return undefined;
    this.#budget.failed();
    if (request.retry === false || !this.#budget.allowsRetry()) return undefined;
    return retryWaitMs({ error, tries, remainingMs: deadline.remainingMs(), random: this.#deps.random() });
  }

  /** One request and the head of its answer. A token that is refused is read again once: it may have been rotated. */
  async #exchange(request: ApiRequest, deadline: Deadline): Promise<Dispatcher.ResponseData> {
    const answer = await this.#send(request, deadline);
    if (answer.statusCode !== 401) return answer;
    await answer.body.dump();
    this.#deps.credentials.invalidate();
    return this.#send(request, deadline);
  }

  async #send(request: ApiRequest, deadline: Deadline): Promise<Dispatcher.ResponseData> {
    deadline.signal.throwIfAborted();
    const access = await this.#access(request);
    const pool = this.#connections.pool(request.lane ?? 'call', access.tls);
    const options = {
      origin: this.#server.origin,
      path: this.#pathOf(request),
      method: request.method,
      headers: this.#headersOf(request, access),
      body: request.body === undefined ? null : JSON.stringify(request.body.json),
    };
    try {
      const answer =
        request.fence === undefined
          ? await pool.request({ ...options, signal: deadline.signal })
          : await this.#write(request, { fence: request.fence, pool, options, deadline });
      // A body that is given up tells an error, and one that nobody hears ends this process. undici hears it only while
      // the answer is on its way: not when all of it is here and nobody has read it. Who reads hears of it all the same.
      answer.body.on('error', () => undefined);
      this.#report(request, String(answer.statusCode));
      return answer;
    } catch (error) {
      this.#report(request, '<error>');
      throw error;
    }
  }

  async #write(
    request: ApiRequest,
    { fence, pool, options, deadline }: Sending,
  ): Promise<Dispatcher.ResponseData> {
    const limit = startDeadline(this.#deps.clock, NEVER, deadline.remainingMs());
    return requestFenced(pool, options, {
      mayBeSent: () => isWithinTerm(request),
      whyNot: () => lostLease(request),
      caller: deadline.signal,
      limit: limit.signal,
      sent: (landed) => {
        void landed.then(() => limit.end());
        fence.sent(landed);
      },
    });
  }

  async #access(request: ApiRequest): Promise<Access> {
    try {
      return await this.#deps.credentials.access();
    } catch (cause) {
      const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'unknown';
      const message = `the credentials for the API server cannot be read: ${reason}`;
      throw new ClusterError(message, { ...attemptOf(request), kind: 'unavailable', cause });
    }
  }

  #pathOf({ path, query = {} }: ApiRequest): string {
    const search = new URLSearchParams(query).toString();
    const base = this.#server.pathname === '/' ? '' : this.#server.pathname;
    return `${base}${path}${search === '' ? '' : `?${search}`}`;
  }

  #headersOf({ body, accept = 'application/json' }: ApiRequest, access: Access): Record<string, string> {
    const contentType = body === undefined ? {} : { 'content-type': body.contentType };
    return { ...access.headers, ...contentType, accept, 'user-agent': this.#deps.userAgent };
  }

  #report({ method }: ApiRequest, code: string): void {
    this.#deps.onExchange?.({ code, method, host: this.#server.host });
  }

  /** Whoever gives up ends the stream, also before anybody reads it. */
  #textOf(request: ApiRequest, body: Dispatcher.ResponseData['body']): AsyncIterable<string> {
    const stop = (): void => void body.destroy();
    request.signal.addEventListener('abort', stop);
    body.once('close', () => request.signal.removeEventListener('abort', stop));
    if (request.signal.aborted) stop();
    body.setEncoding('utf8');
    return this.#chunksOf(request, body);
  }

  async *#chunksOf(request: ApiRequest, body: Dispatcher.ResponseData['body']): AsyncGenerator<string> {
    try {
      for await (const chunk of body) yield String(chunk);
      // An empty body that was destroyed looks like one that was read.
      request.signal.throwIfAborted();
    } catch (error) {
      throw this.#asClusterError(error, request);
    }
  }

  #asClusterError(error: unknown, request: ApiRequest, deadline?: Deadline): ClusterError {
    if (error instanceof ClusterError) return error;
    const attempt = attemptOf(request);
    if (deadline?.isExpired() === true) return timeoutError(deadline.timeoutMs, attempt);
    if (request.signal.aborted) return cancelledError(attempt);
    return errorFromConnection(error, this.#server.host, attempt);
  }
}

async function refusal(request: ApiRequest, answer: Dispatcher.ResponseData): Promise<ClusterError> {
  const retryAfter = answer.headers['retry-after'];
  return errorFromAnswer(
    {
      httpStatus: answer.statusCode,
      body: await answer.body.text(),
      ...(typeof retryAfter === 'string' ? { retryAfter } : {}),
    },
    attemptOf(request),
  );
}

function attemptOf({ verb, ref }: ApiRequest): Attempt {
  return ref === undefined ? { verb } : { verb, ref };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isWithinTerm({ fence }: ApiRequest): boolean {
  return fence?.remainingMs() !== 0;
}

function lostLease(request: ApiRequest): ClusterError {
  return cancelledError(attemptOf(request), 'this replica does not hold the lease');
}
