/** A real transport to a server of a test. */
import type { Clock } from '../../model/clock.ts';
import type { Credentials } from '../credentials.ts';
import type { Exchange, Transport } from '../transport.ts';
import { createTransport } from '../transport.ts';

export interface ConnectOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly ca?: string;
  readonly onExchange?: (exchange: Exchange) => void;
  /** Tokens in the order in which they are read; the last one stays. */
  readonly tokens?: readonly string[];
}

export function connect({ url, clock, ca, onExchange, tokens = ['token'] }: ConnectOptions): Transport {
  const rest = [...tokens];
  const tls = ca === undefined ? {} : { ca };
  const credentials: Credentials = {
    server: url,
    proxyUrl: undefined,
    namespace: undefined,
    access: () => Promise.resolve({ headers: { authorization: `Bearer ${rest[0] ?? ''}` }, tls }),
    invalidate: () => {
      if (rest.length > 1) rest.shift();
    },
  };
  const observed = onExchange === undefined ? {} : { onExchange };
  return createTransport({
    credentials,
    clock,
    random: () => 0,
    userAgent: 'istio-operator/test',
    ...observed,
  });
}
