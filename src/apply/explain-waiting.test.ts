import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { explainWaiting, podTrouble } from './explain-waiting.ts';
import { DEFAULT_POLLING } from './run.ts';
import type { Run } from './run.ts';
import { InMemoryApi } from './testing/in-memory-api.ts';
import { JumpingClock } from './testing/jumping-clock.ts';
import { deployment, object } from './testing/objects.ts';

function pod(name: string, status: JsonObject, createdAt = '2026-01-01T00:00:00Z'): K8sObject {
  return object('Pod', name, {
    status,
    metadata: { creationTimestamp: createdAt, labels: { app: 'istiod' } },
  });
}

const waiting = (reason: string, message = ''): JsonObject => ({ state: { waiting: { reason, message } } });
const UNSCHEDULED = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/1 nodes fit.',
};

describe('podTrouble', () => {
  it('names why a container does not start', () => {
    const pulling = pod('a', { containerStatuses: [waiting('ImagePullBackOff', 'no such image')] });

    expect(podTrouble([pulling])).to.equal('ImagePullBackOff (no such image)');
  });

  it('looks past containers that wait for others, and finds init containers', () => {
    const status = {
      initContainerStatuses: [waiting('CrashLoopBackOff')],
      containerStatuses: [waiting('PodInitializing')],
    };

    expect(podTrouble([pod('a', status)])).to.equal('CrashLoopBackOff');
  });

  it('names why a pod is on no node', () => {
    expect(podTrouble([pod('a', { conditions: [UNSCHEDULED] })])).to.equal('Unschedulable (0/1 nodes fit)');
  });

  it('prefers the newest pod', () => {
    const old = pod('old', { containerStatuses: [waiting('Old')] }, '2026-01-01T00:00:00Z');
    const young = pod('new', { containerStatuses: [waiting('New')] }, '2026-01-02T00:00:00Z');

    expect(podTrouble([old, young])).to.equal('New');
  });

  it('says nothing when pods just start', () => {
    expect(podTrouble([pod('a', { containerStatuses: [waiting('ContainerCreating')] })])).to.equal(undefined);
    expect(podTrouble([])).to.equal(undefined);
  });

  it('keeps messages short', () => {
    const long = pod('a', { containerStatuses: [waiting('Wordy', 'x'.repeat(5_000))] });

    expect(podTrouble([long])?.length).to.be.lessThan(250);
  });
});

describe('explainWaiting', () => {
  const istiod = deployment('istiod', { selector: { matchLabels: { app: 'istiod' } } });
  const unavailable = { ref: refOf(istiod), reason: '0 of 1 pods are available' };
  const start = async (): Promise<{ api: InMemoryApi; run: Run }> => {
    const api = new InMemoryApi();
    await api.apply(istiod, {});
    const clock = new JumpingClock();
    return {
      api,
      run: { cluster: api, clock, signal: new AbortController().signal, polling: DEFAULT_POLLING },
    };
  };

  it('adds what is wrong with the pods of the workload, and only with those', async () => {
    const { api, run } = await start();
    api.update('kubelet', pod('istiod-1', { containerStatuses: [waiting('ErrImagePull')] }));
    const foreign = pod('other', { containerStatuses: [waiting('Other')] }, '2027-01-01T00:00:00Z');
    api.update('kubelet', { ...foreign, metadata: { ...foreign.metadata, labels: { app: 'other' } } });

    expect(await explainWaiting(run, [unavailable])).to.deep.equal([
      { ref: refOf(istiod), reason: '0 of 1 pods are available: ErrImagePull' },
    ]);
  });

  it('leaves the reason as it is when pods cannot be listed', async () => {
    const { api, run } = await start();
    api.fail('list Pod', 'forbidden');

    expect(await explainWaiting(run, [unavailable])).to.deep.equal([unavailable]);
  });

  describe('of a DaemonSet', () => {
    const agent = object('DaemonSet', 'istio-cni-node', {
      spec: { selector: { matchLabels: { app: 'cni' } } },
    });
    const missing = { ref: refOf(agent), reason: '0 of 1 pods are up to date' };
    const startAgent = async (scheduled: number): Promise<{ api: InMemoryApi; run: Run }> => {
      const started = await start();
      started.api.statusOf = () => ({ desiredNumberScheduled: 1, currentNumberScheduled: scheduled });
      await started.api.apply(agent, {});
      started.api.statusOf = () => undefined;
      for (const [name, lastTimestamp, message] of [
        [
          'a',
          '2026-01-02T00:00:00Z',
          '(combined from similar events): Error creating: pods "x" is forbidden: violates PodSecurity "restricted".',
        ],
        ['b', '2026-01-01T00:00:00Z', 'exceeded quota'],
      ] as const)
        started.api.update('controller', object('Event', name, { lastTimestamp, message }));
      return started;
    };

    it('says why nodes have no pod of it, from the latest event', async () => {
      const { run } = await startAgent(0);

      expect(await explainWaiting(run, [missing])).to.deep.equal([
        {
          ref: refOf(agent),
          reason: `${missing.reason}: pods "x" is forbidden: violates PodSecurity "restricted"`,
          refused: true,
        },
      ]);
    });

    it('asks for no events when every node has a pod, and goes without where it may not read them', async () => {
      const all = await startAgent(1);
      const blind = await startAgent(0);
      blind.api.fail('list Event', 'forbidden');

      expect(await explainWaiting(all.run, [missing])).to.deep.equal([missing]);
      expect(await explainWaiting(blind.run, [missing])).to.deep.equal([missing]);
      expect(all.api.callsOf('list')).to.deep.equal(['list Pod']);
    });
  });

  it('asks nothing for kinds without pods', async () => {
    const { api, run } = await start();
    const definition = {
      ref: refOf(object('CustomResourceDefinition', 'x')),
      reason: 'it is not served yet',
    };

    expect(await explainWaiting(run, [definition])).to.deep.equal([definition]);
    expect(api.callsOf('get', 'list')).to.deep.equal([]);
  });
});
