/** The cluster that the quickstart plays on: one of its own, or the user's. */
import { loadCredentials } from '../../src/cluster/credentials.ts';
import type { Credentials } from '../../src/cluster/credentials.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { createCluster } from '../../src/cluster/cluster.ts';
import { createDiscovery } from '../../src/cluster/discovery.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import type { Transport } from '../../src/cluster/transport.ts';
import { createTransport } from '../../src/cluster/transport.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import type { Talk } from './talk.ts';

export interface Playground {
  readonly cluster: Cluster;
  readonly transport: Transport;
  readonly credentials: Credentials;
  /** What a user's shell needs to reach the cluster; undefined when it is the user's own. */
  readonly kubeconfigPath: string | undefined;
  close(): Promise<void>;
}

export interface PlaygroundChoice {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

export async function openPlayground(talk: Talk, choice: PlaygroundChoice): Promise<Playground> {
  if (choice.kubeconfig !== undefined || choice.context !== undefined) return connected(choice, undefined);
  talk.say(talk.style('bold', 'Kubernetes'));
  talk.say(
    '  starting etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on this machine',
  );
  const plane = await startControlPlane();
  talk.say(`  ${plane.server} is ready`);
  const playground = await connected({ kubeconfig: plane.kubeconfigPath }, plane.kubeconfigPath);
  return {
    ...playground,
    close: async () => {
      await playground.close();
      await plane.stop();
    },
  };
}

async function connected(choice: PlaygroundChoice, kubeconfigPath: string | undefined): Promise<Playground> {
  const { kubeconfig, context } = choice;
  const loaded = await loadCredentials({
    env: process.env,
    clock: systemClock,
    preferPod: false,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  if (loaded.kind === 'unusable') throw new Error(`${loaded.problem.cause}. ${loaded.problem.remedy}`);
  const { credentials } = loaded;
  const transport = createTransport({
    credentials,
    clock: systemClock,
    random: Math.random,
    userAgent: 'istio-operator-quickstart',
  });
  const discovery = createDiscovery({ transport, clock: systemClock });
  return {
    cluster: createCluster({ transport, discovery }),
    transport,
    credentials,
    kubeconfigPath,
    close: () => transport.close(),
  };
}
