import { expect } from 'chai';
import { createFacts } from './facts.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { InMemoryCluster } from './testing/in-memory-cluster.ts';

const SIGNAL = new AbortController().signal;

describe('createFacts', () => {
  it('asks the API server once in ten minutes', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const serverVersion = async (): Promise<string> => `v1.34.${(asked += 1)}`;
    const facts = createFacts({ resources: { serverVersion }, clock, servedKinds: () => [] });

    const answers: string[] = [];
    for (const pauseMs of [0, 599_999, 1]) {
      await clock.advance(pauseMs);
      answers.push((await facts(SIGNAL)).kubernetesVersion);
    }

    expect(answers).to.deep.equal(['v1.34.1', 'v1.34.1', 'v1.34.2']);
  });

  it('goes on with what it knows when it cannot ask', async () => {
    const clock = new FakeClock();
    const cluster = new InMemoryCluster();
    const facts = createFacts({ resources: cluster, clock, servedKinds: () => [] });
    const before = await facts(SIGNAL);
    cluster.failures.serverVersion = ['unavailable'];
    await clock.advance(600_000);

    expect(await facts(SIGNAL)).to.equal(before);
  });

  it('remembers no failure', async () => {
    const cluster = new InMemoryCluster();
    cluster.failures.serverVersion = ['unavailable'];
    const facts = createFacts({ resources: cluster, clock: new FakeClock(), servedKinds: () => [] });

    const error = await facts(SIGNAL).catch((caught: unknown) => caught);

    expect(error).to.have.property('kind', 'unavailable');
    expect(await facts(SIGNAL)).to.deep.equal({ kubernetesVersion: 'v1.34.4', servedKinds: [] });
  });

  it('are another object only when a kind has come or gone', async () => {
    let served: readonly string[] = [];
    const servedKinds = (): readonly string[] => [...served];
    const facts = createFacts({ resources: new InMemoryCluster(), clock: new FakeClock(), servedKinds });
    const before = await facts(SIGNAL);
    const again = await facts(SIGNAL);
    served = ['monitoring.coreos.com/v1/PodMonitor'];

    expect(again).to.equal(before);
    expect((await facts(SIGNAL)).servedKinds).to.deep.equal(served);
  });
});
