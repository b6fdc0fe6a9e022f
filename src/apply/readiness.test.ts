import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import type { Readiness } from './readiness.ts';
import { readinessOf } from './readiness.ts';
import { object } from './testing/objects.ts';

const READY: Readiness = { kind: 'ready' };
const waiting = (reason: string): Readiness => ({ kind: 'waiting', reason });
const failed = (reason: string): Readiness => ({ kind: 'failed', reason });

function at(generation: number, kind: string, spec: JsonObject, status: JsonObject): K8sObject {
  return object(kind, 'x', { metadata: { generation }, spec, status });
}

interface Case {
  readonly what: string;
  readonly live: K8sObject;
  readonly expected: Readiness;
}

const ROLLED_OUT = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const QUOTA = {
  type: 'ReplicaFailure',
  status: 'True',
  reason: 'FailedCreate',
  message: 'exceeded quota: small.',
};
const TOO_SLOW = {
  type: 'Progressing',
  status: 'False',
  reason: 'ProgressDeadlineExceeded',
  message: 'It timed out.',
};
const SPREAD = {
  observedGeneration: 1,
  desiredNumberScheduled: 3,
  updatedNumberScheduled: 3,
  numberAvailable: 3,
};

const deployment = (status: JsonObject, spec: JsonObject = { replicas: 2 }): K8sObject =>
  at(2, 'Deployment', spec, status);
const daemonSet = (status: JsonObject, spec: JsonObject = {}): K8sObject => at(1, 'DaemonSet', spec, status);
const statefulSet = (status: JsonObject, spec: JsonObject = { replicas: 2 }): K8sObject =>
  at(1, 'StatefulSet', spec, status);

const CASES: readonly Case[] = [
  { what: 'a Deployment that is rolled out', live: deployment(ROLLED_OUT), expected: READY },
  {
    what: 'a Deployment without status',
    live: object('Deployment', 'x', { metadata: { generation: 1 } }),
    expected: waiting('its latest change is not processed yet'),
  },
  {
    what: 'a Deployment whose latest change was not seen',
    live: deployment({ ...ROLLED_OUT, observedGeneration: 1 }),
    expected: waiting('its latest change is not processed yet'),
  },
  {
    what: 'a Deployment that was given up for its previous change only',
    live: deployment({ ...ROLLED_OUT, observedGeneration: 1, conditions: [TOO_SLOW] }),
    expected: waiting('its latest change is not processed yet'),
  },
  {
    what: 'a Deployment with pods of the old kind only',
    live: deployment({ ...ROLLED_OUT, updatedReplicas: 0 }),
    expected: waiting('0 of 2 pods are up to date'),
  },
  {
    what: 'a Deployment with old pods beside the new ones',
    live: deployment({ ...ROLLED_OUT, replicas: 3 }),
    expected: waiting('1 old pods are still running'),
  },
  {
    what: 'a Deployment with pods that are not available',
    live: deployment({ ...ROLLED_OUT, availableReplicas: 1 }),
    expected: waiting('1 of 2 pods are available'),
  },
  {
    what: 'a Deployment that may not make pods',
    live: deployment({ observedGeneration: 2, conditions: [QUOTA] }),
    expected: {
      kind: 'waiting',
      reason: '0 of 2 pods are up to date: exceeded quota: small',
      refused: true,
    },
  },
  {
    what: 'a Deployment that was given up',
    live: deployment({ ...ROLLED_OUT, availableReplicas: 0, conditions: [TOO_SLOW] }),
    expected: failed('It timed out'),
  },
  {
    what: 'a Deployment that is scaled to zero',
    live: deployment({ observedGeneration: 2 }, { replicas: 0 }),
    expected: READY,
  },
  {
    what: 'a Deployment without replicas, which means one',
    live: deployment({ observedGeneration: 2 }, {}),
    expected: waiting('0 of 1 pods are up to date'),
  },
  { what: 'a DaemonSet on all its nodes', live: daemonSet(SPREAD), expected: READY },
  {
    what: 'a DaemonSet without a matching node',
    live: daemonSet({ observedGeneration: 1, desiredNumberScheduled: 0 }),
    expected: READY,
  },
  {
    what: 'a DaemonSet that was not seen yet',
    live: daemonSet({ desiredNumberScheduled: 0 }),
    expected: waiting('its latest change is not processed yet'),
  },
  {
    what: 'a DaemonSet in the middle of an update',
    live: daemonSet({ ...SPREAD, updatedNumberScheduled: 1 }),
    expected: waiting('1 of 3 pods are up to date'),
  },
  {
    what: 'a DaemonSet with a pod that is not available',
    live: daemonSet({ ...SPREAD, numberAvailable: 2 }),
    expected: waiting('2 of 3 pods are available'),
  },
  {
    what: 'a DaemonSet whose old pods stay until somebody deletes them',
    live: daemonSet({ ...SPREAD, updatedNumberScheduled: 0 }, { updateStrategy: { type: 'OnDelete' } }),
    expected: READY,
  },
  {
    what: 'a StatefulSet that is rolled out',
    live: statefulSet({ observedGeneration: 1, updatedReplicas: 2, readyReplicas: 2 }),
    expected: READY,
  },
  {
    what: 'a StatefulSet that updates only from a partition on',
    live: statefulSet(
      { observedGeneration: 1, updatedReplicas: 1, readyReplicas: 2 },
      { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
    ),
    expected: READY,
  },
  {
    what: 'a StatefulSet with an old pod',
    live: statefulSet({ observedGeneration: 1, updatedReplicas: 1, readyReplicas: 2 }),
    expected: waiting('1 of 2 pods are up to date'),
  },
  {
    what: 'a StatefulSet with a pod that is not ready',
    live: statefulSet({ observedGeneration: 1, updatedReplicas: 2, readyReplicas: 1 }),
    expected: waiting('1 of 2 pods are ready'),
  },
  {
    what: 'a definition that is served',
    live: at(1, 'CustomResourceDefinition', {}, { conditions: [{ type: 'Established', status: 'True' }] }),
    expected: READY,
  },
  {
    what: 'a definition that is not served yet',
    live: at(1, 'CustomResourceDefinition', {}, {}),
    expected: waiting('it is not served yet'),
  },
  {
    what: 'a definition whose names are taken',
    live: at(
      1,
      'CustomResourceDefinition',
      {},
      {
        conditions: [{ type: 'NamesAccepted', status: 'False', message: '"widgets" is taken' }],
      },
    ),
    expected: failed('"widgets" is taken'),
  },
  { what: 'an active Namespace', live: at(1, 'Namespace', {}, { phase: 'Active' }), expected: READY },
  { what: 'a new Namespace', live: at(1, 'Namespace', {}, {}), expected: waiting('it is not active yet') },
  {
    what: 'a claim that no pod wants yet',
    live: at(1, 'PersistentVolumeClaim', {}, { phase: 'Pending' }),
    expected: READY,
  },
  {
    what: 'a claim without its volume',
    live: at(1, 'PersistentVolumeClaim', {}, { phase: 'Lost' }),
    expected: failed('its volume is lost'),
  },
  { what: 'a running Job', live: at(1, 'Job', {}, {}), expected: waiting('it has not completed yet') },
  {
    what: 'a completed Job',
    live: at(1, 'Job', {}, { conditions: [{ type: 'Complete', status: 'True' }] }),
    expected: READY,
  },
  { what: 'a suspended Job', live: at(1, 'Job', { suspend: true }, {}), expected: READY },
  {
    what: 'a failed Job',
    live: at(
      1,
      'Job',
      {},
      { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] },
    ),
    expected: failed('BackoffLimitExceeded'),
  },
  {
    what: 'a Service that waits for a load balancer',
    live: at(1, 'Service', { type: 'LoadBalancer' }, {}),
    expected: READY,
  },
  {
    what: 'anything that is being deleted',
    live: object('ConfigMap', 'x', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    expected: waiting('it is being deleted'),
  },
  {
    what: 'a Deployment of another API group, which may mean anything',
    live: { ...deployment({}), apiVersion: 'example.com/v1' },
    expected: READY,
  },
];

describe('readinessOf', () => {
  for (const { what, live, expected } of CASES) {
    it(`takes ${what} for ${expected.kind}`, () => {
      expect(readinessOf(live)).to.deep.equal(expected);
    });
  }
});
