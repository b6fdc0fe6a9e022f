/**
 * Stands between one client (a replica of the operator, say) and the API server, and does to the traffic what networks,
 * proxies and dying servers do. Requests are read whole, judged by rules, and logged; watches run through filters.
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type {
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  Server,
  ServerResponse,
} from 'node:http';
import { createServer } from 'node:http';
import { Agent, createServer as createTlsServer, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { FILES } from '../control-plane/server-commands.ts';
import type { ApiRequest } from './api-request.ts';
import { readRequest } from './api-request.ts';
import type { Fault, FaultRule } from './fault-rule.ts';
import { ArmedRule } from './fault-rule.ts';
import type { WatchFilter } from './watch-filter.ts';
import { WatchStream } from './watch-stream.ts';

/** One request and what became of it. Times are those of `performance.now()`. */
export interface Exchange {
  /** Of the proxy: tells replicas apart. */
  readonly tag: string;
  /** Counts the requests of this proxy from 0, in the order in which they were read. */
  readonly index: number;
  readonly request: ApiRequest;
  readonly startedMs: number;
  /** When the API server had answered in full or was known not to be asked; for a watch, when it began. */
  endedMs: number | undefined;
  /** What the API server answered; undefined when it was not asked or has not answered. */
  status: number | undefined;
  /** What struck it. */
  fault: Fault['kind'] | undefined;
}

export interface ChaosProxyOptions {
  /** In the log, and in the name of the kubeconfig. */
  readonly tag: string;
  /** Serves TLS, with the API server's own certificate, instead of plain HTTP. */
  readonly tls?: boolean;
  /** Instead of the administrator's. */
  readonly token?: string;
}

/** The bodies of answered lists by URL. */
export type RecordedLists = ReadonlyMap<string, Buffer>;

export async function startChaosProxy(plane: ControlPlane, options: ChaosProxyOptions): Promise<ChaosProxy> {
  const proxy = new ChaosProxy(plane, options);
  await proxy.listening;
  return proxy;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** A request on its way, with the whole of its body and the place for the answer. */
interface Passage {
  readonly exchange: Exchange;
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
}

export class ChaosProxy {
  /** Every request since the start or the last `clearLog`. */
  readonly log: Exchange[] = [];
  /** Resolves when connections are accepted. */
  readonly listening: Promise<unknown>;
  readonly #plane: ControlPlane;
  readonly #options: ChaosProxyOptions;
  readonly #upstream: Agent;
  readonly #server: Server;
  readonly #watches = new Set<WatchStream>();
  readonly #rules = new Set<ArmedRule>();
  readonly #filters = new Set<WatchFilter>();
  #recorded: Map<string, Buffer> | undefined;
  #count = 0;
  /** Pending while the network is parted. */
  #healed: PromiseWithResolvers<void> | undefined;
  #kubeconfigPath: string | undefined;

  constructor(plane: ControlPlane, options: ChaosProxyOptions) {
    this.#plane = plane;
    this.#options = options;
    this.#upstream = new Agent({ keepAlive: true, ca: plane.certificateAuthority });
    const listener: RequestListener = (incoming, response) => void this.#accept(incoming, response);
    this.#server =
      options.tls === true ? createTlsServer(certificateOf(plane), listener) : createServer(listener);
    this.#server.listen(0, '127.0.0.1');
    this.listening = once(this.#server, 'listening');
  }

  /** Base URL, without a slash at the end. */
  get server(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `${this.#options.tls === true ? 'https' : 'http'}://127.0.0.1:${address.port}`;
  }

  /** A kubeconfig that leads through the proxy; its file goes with the control plane. */
  get kubeconfigPath(): string {
    if (this.#kubeconfigPath !== undefined) return this.#kubeconfigPath;
    const { server, adminToken, kubeconfig, directory } = this.#plane;
    const { tag, token = adminToken } = this.#options;
    const path = join(
      directory,
      `${tag}-${this.#server.listening ? new URL(this.server).port : ''}.kubeconfig`,
    );
    const text = kubeconfig.replaceAll(server, this.server).replaceAll(adminToken, token);
    writeFileSync(path, text, { mode: 0o600 });
    this.#kubeconfigPath = path;
    return path;
  }

  /** Lets a fault strike from now on. Of several rules that match, the one that was armed first strikes. */
  arm(rule: FaultRule): ArmedRule {
    const armed = new ArmedRule(rule);
    this.#rules.add(armed);
    return armed;
  }

  /** Sends the events of all watches, those that run among them, through a filter; returns its removal. */
  filterWatches(filter: WatchFilter): () => void {
    this.#filters.add(filter);
    return () => void this.#filters.delete(filter);
  }

  /** Forgets all rules and filters, heals the network and lets go what was held. */
  calm(): void {
    for (const rule of this.#rules) rule.disarm();
    this.#rules.clear();
    this.#filters.clear();
    this.heal();
    this.releaseWatches();
  }

  /** Sends what filters have held back so far, in order; what comes now is judged anew. */
  releaseWatches(): void {
    for (const watch of this.#watches) watch.release();
  }

  /** How many watches are open now. */
  get openWatches(): number {
    return this.#watches.size;
  }

  /** Breaks every watch that is open, without a word. Returns how many. */
  cutWatches(): number {
    const { size } = this.#watches;
    for (const watch of this.#watches) watch.cut();
    return size;
  }

  /** From now on no byte gets through, in either direction, and no connection breaks. */
  part(): void {
    this.#healed ??= Promise.withResolvers<void>();
    for (const watch of this.#watches) watch.hold();
  }

  /** Ends the partition: what waited and whose client still does goes on. */
  heal(): void {
    if (this.#healed === undefined) return;
    this.#healed.resolve();
    this.#healed = undefined;
    this.releaseWatches();
  }

  /** Keeps the latest answer of each list from now on. */
  recordLists(): RecordedLists {
    this.#recorded = new Map();
    return this.#recorded;
  }

  stopRecording(): void {
    this.#recorded = undefined;
  }

  /** Answers each of these lists once with what was recorded: the view of a client that is behind. */
  playLists(lists: RecordedLists): readonly ArmedRule[] {
    return [...lists].map(([url, body]) =>
      this.arm({ when: (request) => request.url === url, fault: { kind: 'answer', body } }),
    );
  }

  clearLog(): void {
    this.log.length = 0;
  }

  /** Writes that the API server may still be about to do. */
  writesUnderWay(): number {
    return this.log.filter(({ request, endedMs }) => request.isWrite && endedMs === undefined).length;
  }

  async close(): Promise<void> {
    this.calm();
    this.#server.closeAllConnections();
    this.#server.close();
    this.#upstream.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #accept(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let exchange: Exchange | undefined;
    try {
      const body = await bodyOf(incoming);
      exchange = this.#register(incoming);
      await this.#carry({ exchange, incoming, body, response });
    } catch {
      // The API server broke off, or the client did; either way the other side gets to see the same.
      response.destroy();
    } finally {
      if (exchange !== undefined) exchange.endedMs ??= performance.now();
    }
  }

  #register({ method = 'GET', url = '/', headers }: IncomingMessage): Exchange {
    const exchange: Exchange = {
      tag: this.#options.tag,
      index: this.#count,
      request: readRequest({ method, url, contentType: headers['content-type'] }),
      startedMs: performance.now(),
      endedMs: undefined,
      status: undefined,
      fault: undefined,
    };
    this.#count += 1;
    this.log.push(exchange);
    return exchange;
  }

  async #carry(passage: Passage): Promise<void> {
    await this.#healed?.promise;
    if (passage.response.destroyed) return;
    const { request } = passage.exchange;
    const fault = this.#faultFor(request);
    passage.exchange.fault = fault?.kind;
    if (fault !== undefined) return this.#strike(passage, fault);
    return request.class === 'watch' ? this.#watch(passage) : this.#reply(passage, await this.#send(passage));
  }

  #faultFor(request: ApiRequest): Fault | undefined {
    for (const rule of this.#rules) {
      const fault = rule.strike(request);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #strike(passage: Passage, fault: Fault): Promise<void> {
    const { response } = passage;
    switch (fault.kind) {
      case 'crashBefore':
        fault.crash();
        return void response.destroy();
      case 'crashAfter':
        await this.#send(passage);
        fault.crash();
        return void response.destroy();
      case 'dropAnswer':
        await this.#send(passage);
        return void response.destroy();
      case 'reset':
        return void response.destroy();
      case 'hang':
        return undefined;
      case 'duplicate':
        await this.#send(passage);
        return this.#reply(passage, await this.#send(passage));
      case 'delay':
        await delay(fault.ms);
        return this.#carryOn(passage);
      case 'status':
        return this.#reply(passage, refusalOf(fault));
      case 'truncate':
        return truncate(passage, await this.#send(passage));
      case 'garble':
        return this.#reply(passage, garbled(await this.#send(passage)));
      case 'answer':
        return this.#reply(passage, { status: 200, headers: JSON_HEADERS, body: fault.body });
    }
  }

  async #carryOn(passage: Passage): Promise<void> {
    if (passage.exchange.request.class === 'watch') return this.#watch(passage);
    return this.#reply(passage, await this.#send(passage));
  }

  async #reply(passage: Passage, answer: Answer): Promise<void> {
    await this.#healed?.promise;
    const { response } = passage;
    if (response.destroyed) return;
    response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
    response.end(answer.body);
  }

  /** Asks the API server and reads the whole answer. */
  async #send({ exchange, incoming, body }: Passage): Promise<Answer> {
    const upstream = await this.#open(incoming, body);
    const answer = {
      status: upstream.statusCode ?? 0,
      headers: withoutHopHeaders(upstream.headers),
      body: await bodyOf(upstream),
    };
    exchange.status = answer.status;
    exchange.endedMs = performance.now();
    if (exchange.request.class === 'list') this.#recorded?.set(exchange.request.url, answer.body);
    return answer;
  }

  async #watch({ exchange, incoming, body, response }: Passage): Promise<void> {
    const upstream = await this.#open(incoming, body);
    exchange.status = upstream.statusCode ?? 0;
    exchange.endedMs = performance.now();
    response.writeHead(exchange.status, withoutHopHeaders(upstream.headers));
    response.flushHeaders();
    const stream = new WatchStream({ watch: exchange.request, upstream, response, filters: this.#filters });
    if (this.#healed !== undefined) stream.hold();
    this.#watches.add(stream);
    await stream.ended;
    this.#watches.delete(stream);
  }

  async #open({ method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { hostname, port, host } = new URL(this.#plane.server);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // Node.js adds it for most methods only; without it the server takes the body of a DELETE for the next request.
    const length = body.length > 0 ? { 'content-length': body.length } : {};
    const forwarded = { ...withoutHopHeaders(headers), ...length, host };
    httpsRequest({ agent: this.#upstream, hostname, port, method, path: url, headers: forwarded })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
    return promise;
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/** They are of one connection only; compressed answers could not be filtered. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'accept-encoding',
  'host',
]);

function withoutHopHeaders(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name)));
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer); // a stream without an encoding yields buffers
  return Buffer.concat(chunks);
}

function certificateOf({ directory }: ControlPlane): { readonly cert: string; readonly key: string } {
  const folder = join(directory, FILES.certificates);
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { cert: read('apiserver.crt'), key: read('apiserver.key') };
}

function refusalOf({
  code,
  retryAfterS,
  reason = 'Chaos',
}: Extract<Fault, { readonly kind: 'status' }>): Answer {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    code,
    message: 'a fault of the test',
  };
  const retryAfter = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  return {
    status: code,
    headers: { ...JSON_HEADERS, ...retryAfter },
    body: Buffer.from(JSON.stringify(status)),
  };
}

function garbled(answer: Answer): Answer {
  return { ...answer, body: Buffer.from('<html>502 Bad Gateway</html>') };
}

function truncate({ response }: Passage, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
