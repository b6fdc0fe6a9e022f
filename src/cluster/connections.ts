/**
 * The connections to the API server: a few that all calls share, kept open, instead of one TLS handshake for each
 * request (client-node 2.0.1 makes a new agent every time).
 */
import type { Dispatcher } from 'undici';
import { Agent, ProxyAgent } from 'undici';
import type { TlsMaterial } from './credentials.ts';

/**
 * - `call`: everything that ends soon.
 * - `stream`: watches; each holds its connection, so they must not take those of the calls.
 * - `urgent`: the lease; it must not wait behind calls that hang.
 */
export type Lane = 'call' | 'stream' | 'urgent';

// Never more than one connection for each watch and four besides, also under load. More for calls would gain little:
// 100 applies, six at a time, take 0.23 s over three connections and 0.13 s over eight (measured on loopback).
const CONNECTIONS: Readonly<Record<Lane, number | null>> = { call: 3, stream: null, urgent: 1 };

const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 30_000;
// Only a safety net: every call has a deadline of its own, and a watch has its own limit of silence.
const ANSWER_TIMEOUT_MS = 60_000;

export class Connections {
  readonly #proxyUrl: string | undefined;
  #tls: TlsMaterial | undefined;
  #pools = new Map<Lane, Dispatcher>();

  constructor(proxyUrl: string | undefined) {
    this.#proxyUrl = proxyUrl;
  }

  /** The pool of a lane. Other TLS material than last time starts new pools; what runs on the old ones may finish. */
  pool(lane: Lane, tls: TlsMaterial): Dispatcher {
    if (tls !== this.#tls) {
      void this.close();
      this.#tls = tls;
    }
    const known = this.#pools.get(lane);
    if (known !== undefined) return known;
    const pool = this.#open(lane, tls);
    this.#pools.set(lane, pool);
    return pool;
  }

  /** Resolves when everything that runs has finished. */
  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools = new Map();
    await Promise.all(pools.map((pool) => pool.close()));
  }

  #open(lane: Lane, tls: TlsMaterial): Dispatcher {
    const options = {
      connections: CONNECTIONS[lane],
      pipelining: 1,
      // One stalled connection must not stall all watches, as it would with HTTP/2.
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: lane === 'stream' ? 0 : ANSWER_TIMEOUT_MS,
    };
    const connect = { ...tls, timeout: CONNECT_TIMEOUT_MS };
    if (this.#proxyUrl === undefined) return new Agent({ ...options, connect });
    return new ProxyAgent({ ...options, uri: this.#proxyUrl, requestTls: connect });
  }
}
