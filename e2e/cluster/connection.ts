/** The operator's own way to an API server, for the suites of this folder. */
import type { Cluster } from '../../src/cluster/cluster.ts';
import { createCluster } from '../../src/cluster/cluster.ts';
import { withCache } from '../../src/cluster/cached-cluster.ts';
import type { Credentials } from '../../src/cluster/credentials.ts';
import { loadCredentials } from '../../src/cluster/credentials.ts';
import type { Discovery } from '../../src/cluster/discovery.ts';
import { createDiscovery } from '../../src/cluster/discovery.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import type { Exchange, Transport } from '../../src/cluster/transport.ts';
import { createTransport } from '../../src/cluster/transport.ts';
import type { Watches } from '../../src/cluster/watches.ts';
import { createWatches } from '../../src/cluster/watches.ts';
import type { Logger } from '../../src/model/logger.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface Connection {
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly watches: Watches;
  /** Without a cache. */
  readonly cluster: Cluster;
  /** Reads from the watches where they know. */
  readonly cached: Cluster;
  /** All calls so far, in order. */
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Connects as the administrator with the kubeconfig, or as somebody else with a token. */
export async function connectTo(plane: ControlPlane, token?: string): Promise<Connection> {
  const credentials = token === undefined ? await adminCredentials(plane) : tokenCredentials(plane, token);
  const exchanges: Exchange[] = [];
  const transport = createTransport({
    credentials,
    clock: systemClock,
    random: Math.random,
    userAgent: 'istio-operator/e2e',
    onExchange: (exchange) => exchanges.push(exchange),
  });
  const discovery = createDiscovery({ transport, clock: systemClock });
  const watches = createWatches({
    transport,
    discovery,
    clock: systemClock,
    random: Math.random,
    logger: SILENT,
  });
  const cluster = createCluster({ transport, discovery, observer: watches });
  return {
    transport,
    discovery,
    watches,
    cluster,
    cached: withCache(cluster, watches),
    exchanges,
    close: async () => {
      watches.stopAll();
      await transport.close();
    },
  };
}

async function adminCredentials(plane: ControlPlane): Promise<Credentials> {
  const loaded = await loadCredentials({
    env: {},
    clock: systemClock,
    kubeconfig: plane.kubeconfigPath,
    preferPod: false,
  });
  if (loaded.kind === 'unusable') throw new Error(loaded.problem.cause);
  return loaded.credentials;
}

function tokenCredentials(plane: ControlPlane, token: string): Credentials {
  const access = { headers: { authorization: `Bearer ${token}` }, tls: { ca: plane.certificateAuthority } };
  return {
    server: plane.server,
    proxyUrl: undefined,
    namespace: undefined,
    access: () => Promise.resolve(access),
    invalidate: () => undefined,
  };
}
