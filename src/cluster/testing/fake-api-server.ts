/** An HTTP server that plays an API server as a test scripts it; also one that misbehaves. */
import type { IncomingHttpHeaders, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { JsonObject } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import type { TestCertificate } from './self-signed.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly isWatch: boolean;
}

/** Answers one request, in whatever way. */
export type Reply = (response: ServerResponse, request: ReceivedRequest) => void;

export class FakeApiServer {
  readonly requests: ReceivedRequest[] = [];
  /** All connections that were ever made. */
  connectionCount = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #isTls: boolean;
  #reply: Reply = notFound;

  constructor(certificate?: TestCertificate) {
    const listener: RequestListener = (request, response) => {
      const url = new URL(request.url ?? '/', 'http://server');
      const query = Object.fromEntries(url.searchParams);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received: ReceivedRequest = {
          method: request.method ?? '',
          path: url.pathname,
          query,
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          isWatch: query['watch'] === 'true',
        };
        this.requests.push(received);
        this.#reply(response, received);
      });
    };
    this.#isTls = certificate !== undefined;
    this.#server =
      certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
    this.#server.on(this.#isTls ? 'secureConnection' : 'connection', () => {
      this.connectionCount += 1;
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#isTls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Answers every request from now on. */
  always(reply: Reply): void {
    this.#reply = reply;
  }

  /** Answers one request after the other; those that come later are not found. */
  inTurn(...replies: readonly Reply[]): void {
    const rest = [...replies];
    this.#reply = (response, request) => (rest.shift() ?? notFound)(response, request);
  }

  /** Cuts every connection, as a crash would. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

export function json(
  object: JsonObject,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(object));
  };
}

/** A refusal in the form of the API. */
export function refusal(
  code: number,
  reason: string,
  message: string,
  { details = {}, headers = {} }: { details?: JsonObject; headers?: Readonly<Record<string, string>> } = {},
): Reply {
  return json(statusObject(code, reason, message, details), code, headers);
}

export function statusObject(
  code: number,
  reason: string,
  message: string,
  details: JsonObject = {},
): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason,
    message,
    details,
    code,
  };
}

/** Plain text, such as a proxy gives. */
export function text(status: number, body: string): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end(body);
  };
}

export const reset: Reply = (response) => response.socket?.destroy();

/** Never answers. */
export const hang: Reply = () => undefined;

export const notFound: Reply = refusal(404, 'NotFound', 'the server could not find the requested resource');

/** A watch that stays open; the test writes to it. */
export class OpenWatch {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  }

  send(type: string, object: JsonObject): void {
    this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  raw(chunk: string): void {
    this.#response.write(chunk);
  }

  /** Ends in good order. */
  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.socket?.destroy();
  }

  get isClosed(): boolean {
    return this.#response.closed || this.#response.destroyed;
  }
}

/** The body of a request as JSON. */
export function bodyOf(request: ReceivedRequest): JsonObject {
  const parsed: unknown = JSON.parse(request.body);
  if (!isJsonObject(parsed)) throw new Error('the body is no object');
  return parsed;
}
