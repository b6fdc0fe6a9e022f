/** Health and metrics over HTTP, for the kubelet and for Prometheus. No TLS: nothing here is secret. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Logger } from '../model/logger.ts';

/** One thing that must be in order. */
export interface HealthCheck {
  readonly name: string;
  /** What is wrong, as a short text without secrets, or undefined. Must answer at once. */
  problem(): string | undefined;
}

export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

export interface HttpServerSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** For `/healthz`: failing makes the kubelet restart the pod. Without it the path does not exist. */
  readonly liveness?: readonly HealthCheck[];
  /** For `/readyz`. Without it the path does not exist. */
  readonly readiness?: readonly HealthCheck[];
  /** For `/metrics`. Without it the path does not exist. */
  readonly metrics?: () => Promise<MetricsPage>;
  readonly logger: Logger;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections and resolves when the requests under way are answered. */
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

type Route = () => Page | Promise<Page>;

const PLAIN = 'text/plain; charset=utf-8';
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 64;

/** Resolves when the server listens; rejects when it cannot, such as when the port is taken. */
export async function startHttpServer(settings: HttpServerSettings): Promise<HttpServer> {
  const routes = routesOf(settings);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(routes, request, response, settings.logger);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, settings);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : settings.port,
    close: () => close(server),
  };
}

function routesOf({ liveness, readiness, metrics }: HttpServerSettings): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  if (liveness !== undefined) routes.set('/healthz', () => healthPage('healthz', liveness));
  if (readiness !== undefined) routes.set('/readyz', () => healthPage('readyz', readiness));
  if (metrics !== undefined) routes.set('/metrics', async () => ({ status: 200, ...(await metrics()) }));
  return routes;
}

/** In the form of Kubernetes' own servers: one line for each check, and a last line with the verdict. */
function healthPage(endpoint: string, checks: readonly HealthCheck[]): Page {
  const results = checks.map((check) => ({ name: check.name, problem: check.problem() }));
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
  );
  const isHealthy = results.every(({ problem }) => problem === undefined);
  const verdict = `${endpoint} check ${isHealthy ? 'passed' : 'failed'}`;
  return { status: isHealthy ? 200 : 503, contentType: PLAIN, text: `${[...lines, verdict].join('\n')}\n` };
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
): Promise<void> {
  const page = await pageFor(routes, request).catch((error: unknown): Page => {
    logger.error('a page could not be made', { path: pathOf(request), error });
    return { status: 500, contentType: PLAIN, text: 'internal error\n' };
  });
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'content-length': Buffer.byteLength(page.text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  // Node leaves the body out for HEAD.
  response.end(page.text);
}

async function pageFor(routes: ReadonlyMap<string, Route>, request: IncomingMessage): Promise<Page> {
  const route = routes.get(pathOf(request));
  if (route === undefined) return { status: 404, contentType: PLAIN, text: 'not found\n' };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, contentType: PLAIN, text: 'method not allowed\n' };
  }
  return route();
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

async function listen(server: Server, { host, port }: HttpServerSettings): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
