/** The parts of the mesh of mesh-story.ts as servers on loopback and as pods of a cluster. */
import { createServer as createPlain } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { once } from 'node:events';
import { selfSignedCertificate } from '../../src/cluster/testing/self-signed.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import type { Api, Method } from '../control-plane/api.ts';
import { CONTAINERS, exposition, STORY_NAMESPACE, TARGETS } from './mesh-story.ts';
import type { Series, Target } from './mesh-story.ts';

/** All of 127.0.0.0/8 is this machine, so every pod has an address of its own, and with it its usual ports. */
const addressOf = (index: number): string => `127.0.77.${index + 1}`;
const KUBELET = { address: '127.0.77.200', port: 10_250 };
const NODE = 'prometheus-e2e';

export interface FakeTargets {
  /** Replaces series of the same name of a pod, or of all pods of a job. */
  change(podOrJob: string, replacements: readonly Series[]): void;
  /** Ends the servers of a job: its pods are there, but do not answer. */
  silence(job: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startTargets(api: Api): Promise<FakeTargets> {
  const startMs = Date.now();
  const seconds = (): number => (Date.now() - startMs) / 1000;
  const changes = new Map<string, readonly Series[]>();
  const served = (target: Target): string => {
    const replacements = [...(changes.get(target.pod) ?? []), ...(changes.get(target.job) ?? [])];
    const names = new Set(replacements.map(({ name }) => name));
    const kept = target.series.filter(({ name }) => !names.has(name));
    return exposition([...kept, ...replacements], seconds());
  };
  const servers = new Map<Target, Server>();
  for (const [index, target] of TARGETS.entries()) {
    const address = { host: addressOf(index), port: target.port.number };
    servers.set(target, await listening(createPlain(answering(() => served(target))), address));
    await createPod(api, target, addressOf(index));
  }
  const kubelet = await startKubelet(() => exposition(CONTAINERS, seconds()));
  await createNode(api);
  return {
    change: (podOrJob, replacements) => void changes.set(podOrJob, replacements),
    silence: async (job) => {
      const silenced = [...servers].filter(([target]) => target.job === job).map(([, server]) => server);
      await Promise.all(silenced.map(closed));
    },
    stop: async () => {
      await Promise.all([kubelet, ...servers.values()].map(closed));
      await api.request('DELETE', `/api/v1/nodes/${NODE}`);
    },
  };
}

function answering(text: () => string): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(text());
}

async function listening(server: Server, { host, port }: { host: string; port: number }): Promise<Server> {
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  const done = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await done;
}

async function startKubelet(text: () => string): Promise<Server> {
  const server = createSecure(selfSignedCertificate(), answering(text));
  return listening(server, { host: KUBELET.address, port: KUBELET.port });
}

/** Not scheduled to any node, so that nobody but this test says what becomes of it. */
async function createPod(api: Api, target: Target, address: string): Promise<void> {
  const { name, number: containerPort } = target.port;
  const port = { containerPort, ...(name === undefined ? {} : { name }) };
  const pods = `/api/v1/namespaces/${STORY_NAMESPACE}/pods`;
  await call(api, 'POST', pods, {
    metadata: { name: target.pod, labels: target.podLabels, annotations: target.annotations },
    spec: {
      schedulerName: 'nobody',
      serviceAccountName: 'prometheus',
      containers: [{ name: target.container, image: 'none', ports: [port] }],
    },
  });
  const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] };
  await call(api, 'PATCH', `${pods}/${target.pod}/status`, { status });
}

/** Whoever plays the kubelets of this cluster says where its own is, unless the node says so from the beginning. */
async function createNode(api: Api): Promise<void> {
  await call(api, 'POST', '/api/v1/nodes', {
    metadata: { name: NODE },
    spec: { unschedulable: true },
    status: {
      addresses: [{ type: 'InternalIP', address: KUBELET.address }],
      daemonEndpoints: { kubeletEndpoint: { Port: KUBELET.port } },
    },
  });
}

async function call(api: Api, method: Method, path: string, body: JsonObject): Promise<JsonValue> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await api.request(method, path, body, contentType);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
