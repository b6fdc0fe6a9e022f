import { expect } from 'chai';
import { releaseOf } from '../model/outcome.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { storedStatus } from './resource.ts';
import { StatusWriter } from './status-writer.ts';
import type { Phase, Working } from './verdict.ts';
import { ISTIOD, entryOf, istioOperator, planOf, reportOf } from './testing/builders.ts';
import { FakeClock, settled } from './testing/fake-clock.ts';
import { clusterError, InMemoryCluster } from './testing/in-memory-cluster.ts';
import { SILENT_LOGGER } from './testing/silent-logger.ts';

const READY: Phase = { kind: 'ready', release: releaseOf(planOf()), report: reportOf() };

function working(activity: string): Working {
  return { kind: 'working', release: releaseOf(planOf()), components: new Map(), activity };
}

interface World {
  readonly clock: FakeClock;
  readonly cluster: InMemoryCluster;
  readonly writer: StatusWriter;
  readonly stop: AbortController;
  readonly read: () => K8sObject | undefined;
}

function world(resource = istioOperator()): World {
  const [clock, cluster, stop] = [new FakeClock(), new InMemoryCluster(), new AbortController()];
  const stored = cluster.put(resource);
  const writer = new StatusWriter({ resources: cluster, clock, logger: SILENT_LOGGER }, stored, stop.signal);
  return { clock, cluster, writer, stop, read: () => cluster.read(refOf(resource)) };
}

describe('StatusWriter', () => {
  it('writes nothing when the status says so already, however much later', async () => {
    const { clock, cluster, writer } = world();
    await writer.write(READY);
    await clock.advance(3_600_000);

    await writer.write(READY);

    expect(cluster.statusPatches).to.have.length(1);
  });

  it('sends only what differs', async () => {
    const { cluster, writer } = world();
    await writer.write(working('Installing 1 of 2.'));

    await writer.write(working('Installing 2 of 2.'));

    expect(Object.keys(cluster.statusPatches[1] ?? {})).to.have.members(['message', 'conditions']);
  });

  it('removes what an older operator left in the status', async () => {
    const { writer, read } = world(
      istioOperator({ status: { status: 'HEALTHY', strange: 1, componentStatus: { Addon: {} } } }),
    );

    await writer.write(READY);

    const status = read()?.['status'];
    expect(status).to.not.have.property('strange');
    expect(status).to.have.property('componentStatus').that.has.all.keys('Base', 'Pilot', 'IngressGateways');
  });

  it('shows the first progress at once and then about four times a second, the latest last', async () => {
    const { clock, cluster, writer } = world();

    for (let step = 0; step < 10; step += 1) {
      writer.offer(working(`Step ${step}.`));
      await clock.advance(50);
    }
    await clock.advance(250);

    expect(cluster.statusPatches.map((patch) => patch['message'])).to.deep.equal([
      'Step 0.',
      'Step 4.',
      'Step 9.',
    ]);
  });

  it('never lets old progress overwrite what came of it', async () => {
    const { clock, writer, read } = world();
    writer.offer(working('Step 0.'));
    await settled();
    writer.offer(working('Step 1.'));

    await writer.write(READY);
    await clock.advance(1_000);

    expect(storedStatus(read())?.status).to.equal('HEALTHY');
    expect(clock.sleeping).to.equal(0);
  });

  it('shows that it was not ready for a moment, however short that was', async () => {
    const { cluster, writer } = world();
    await writer.write(READY);
    writer.offer(working('Restoring something.'));

    await writer.write(READY);

    expect(cluster.statusPatches.map((patch) => patch['status'])).to.deep.equal([
      'HEALTHY',
      'RECONCILING',
      'HEALTHY',
    ]);
  });

  it('tells what came of it also when that moment could not be shown', async () => {
    const { cluster, writer, read } = world();
    await writer.write(READY);
    writer.offer(working('Restoring something.'));
    cluster.failures.patchStatus = ['unavailable'];

    await writer.write(READY);

    expect(storedStatus(read())?.status).to.equal('HEALTHY');
  });

  it('speaks of the generation that the run has seen, although there is a newer one', async () => {
    const { cluster, writer, read } = world();
    cluster.put(istioOperator({ spec: { profile: 'minimal' } }));

    await writer.write(READY);

    expect(read()?.metadata['generation']).to.equal(2);
    expect(storedStatus(read())?.observedGeneration).to.equal(1);
  });

  it('goes on after progress that could not be written', async () => {
    const { cluster, writer, read } = world();
    cluster.failures.patchStatus = ['unavailable'];
    writer.offer(working('Step 0.'));
    await settled();

    await writer.write(READY);

    expect(storedStatus(read())?.status).to.equal('HEALTHY');
  });

  it('tells one truth after the answer to a write got lost', async () => {
    const { clock, cluster, stop, read } = world(istioOperator());
    let lost = 0;
    const resources = {
      patchStatus: async (...call: Parameters<InMemoryCluster['patchStatus']>): Promise<K8sObject> => {
        const stored = await cluster.patchStatus(...call);
        if (lost === 0) return stored;
        lost -= 1;
        throw clusterError('unavailable', 'patchStatus');
      },
    };
    const resource = read() ?? istioOperator();
    const writer = new StatusWriter({ resources, clock, logger: SILENT_LOGGER }, resource, stop.signal);
    await writer.write(READY);
    await clock.advance(10_000);
    lost = 1;
    const restoring = {
      ...working('Restoring.'),
      components: new Map([['Pilot', { kind: 'working' }]] as const),
    };
    await writer.write(restoring).catch(() => undefined);
    await clock.advance(10_000);

    await writer.write(READY);

    expect(storedStatus(read())?.componentStatus['Pilot']?.status).to.equal('HEALTHY');
    expect(cluster.unsound).to.deep.equal([]);
  });

  it('tells its caller when a result could not be written', async () => {
    const { cluster, writer } = world();
    cluster.failures.patchStatus = ['forbidden'];

    const error = await writer.write(READY).catch((caught: unknown) => caught);

    expect(error).to.have.property('kind', 'forbidden');
  });

  it('says nothing about a resource that took the place of its own', async () => {
    const { cluster, writer, read } = world();
    await writer.write(working('Installing.'));
    cluster.remove(refOf(istioOperator()));
    cluster.put(istioOperator({ uid: 'uid-of-another', spec: { profile: 'minimal' } }));

    const error = await writer.write(READY).catch((caught: unknown) => caught);

    expect(error).to.have.property('kind', 'conflict');
    expect(storedStatus(read())).to.equal(undefined);
  });

  for (const [what, restored] of [
    ['of an older generation', { generation: 1 }],
    ['of the same generation and another specification', { generation: 3, spec: { profile: 'minimal' } }],
  ] as const) {
    it(`says nothing about a resource that was restored from a backup: ${what}`, async () => {
      const { cluster, writer, read } = world(istioOperator({ generation: 3 }));
      await writer.write(working('Installing.'));
      cluster.remove(refOf(istioOperator()));
      cluster.put(istioOperator(restored));

      const error = await writer.write(READY).catch((caught: unknown) => caught);

      expect(error).to.have.property('kind', 'conflict');
      expect(storedStatus(read())).to.equal(undefined);
    });
  }

  it('records what was applied of a generation of the past, as a server that lags shows it', async () => {
    const { clock, cluster, read } = world(
      istioOperator({ generation: 3, status: { status: 'HEALTHY', observedGeneration: 3, inventory: [] } }),
    );
    const past = istioOperator({
      generation: 2,
      status: { status: 'HEALTHY', observedGeneration: 2, inventory: [] },
    });
    const resource = { ...past, metadata: { ...past.metadata, resourceVersion: '1' } };
    const writer = new StatusWriter(
      { resources: cluster, clock, logger: SILENT_LOGGER },
      resource,
      new AbortController().signal,
    );
    const report = { ...reportOf(), inventory: [entryOf(ISTIOD)] };

    await writer.write({ kind: 'ready', release: releaseOf(planOf()), report });

    expect(storedStatus(read())?.inventory).to.deep.equal([entryOf(ISTIOD)]);
  });

  it('minds no resource that is gone', async () => {
    const { cluster, writer } = world();
    cluster.remove(refOf(istioOperator()));

    await writer.write(READY);

    expect(cluster.statusPatches).to.deep.equal([]);
  });

  it('keeps the inventory of a phase that does not speak about it', async () => {
    const { writer, read } = world();
    await writer.write({ ...working('Installing.'), inventory: [entryOf(ISTIOD)] });

    await writer.write(working('Still installing.'));

    expect(storedStatus(read())?.inventory).to.deep.equal([entryOf(ISTIOD)]);
  });

  it('writes no progress any more once it is stopped', async () => {
    const { clock, cluster, writer, stop } = world();
    writer.offer(working('Step 0.'));
    await settled();
    writer.offer(working('Step 1.'));

    stop.abort();
    await clock.advance(1_000);

    expect(cluster.statusPatches).to.have.length(1);
  });
});
