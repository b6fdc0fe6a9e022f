/** The one node of the cluster. kwok plays its kubelet: pods on it become Running and Ready, but run nothing. */
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { Api } from './api.ts';

const NODE_NAME = 'fake-node';

const CAPACITY = { cpu: '64', memory: '256Gi', pods: '500' };

const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: NODE_NAME,
    annotations: { 'kwok.x-k8s.io/node': 'fake' },
    labels: {
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': NODE_NAME,
      'kubernetes.io/os': 'linux',
    },
  },
  status: { allocatable: CAPACITY, capacity: CAPACITY },
};

export async function createFakeNode(api: Api): Promise<void> {
  const { status, body } = await api.request('POST', '/api/v1/nodes', NODE);
  if (status !== 201) throw new Error(`the API server refuses the fake node: ${JSON.stringify(body)}`);
}

/** Tells whether pods can be placed: the node is Ready and nothing keeps pods away from it any more. */
export async function isNodeUsable(api: Api): Promise<boolean> {
  const { body: node } = await api.request('GET', `/api/v1/nodes/${NODE_NAME}`);
  const ready = listAt(node, 'status', 'conditions').find(
    (condition) => stringAt(condition, 'type') === 'Ready',
  );
  return stringAt(ready, 'status') === 'True' && at(node, 'spec', 'taints') === undefined;
}
