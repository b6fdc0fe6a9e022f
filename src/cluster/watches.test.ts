import { expect } from 'chai';
import type { Watched, WatchOptions } from '../controller/watch.port.ts';
import type { Logger } from '../model/logger.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { stringAt } from '../model/json.ts';
import { withCache } from './cached-cluster.ts';
import type { Cluster } from './cluster.ts';
import { createCluster } from './cluster.ts';
import { createDiscovery } from './discovery.ts';
import { connect } from './testing/connect.ts';
import type { Reply } from './testing/fake-api-server.ts';
import { bodyOf, json, refusal, reset } from './testing/fake-api-server.ts';
import { FakeCollection } from './testing/fake-collection.ts';
import { CONFIG_MAP, configMap, listOf } from './testing/objects.ts';
import { SleepClock } from './testing/sleep-clock.ts';
import { until } from './testing/until.ts';
import type { Transport } from './transport.ts';
import type { Watches } from './watches.ts';
import { createWatches } from './watches.ts';

const NEVER = new AbortController().signal;
const OURS = { labels: { owner: 'us' } };
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const versionOf = (object: K8sObject | undefined): string | undefined =>
  stringAt(object, 'metadata', 'resourceVersion');

describe('a cluster with watches as its cache', () => {
  let collection: FakeCollection;
  let clock: SleepClock;
  let transport: Transport;
  let watches: Watches;
  let cluster: Cluster;
  /** Reads and writes of single objects that reached the server, as `GET a`. */
  let calls: string[];
  let answerToCall: Reply;

  const watch = async (options: WatchOptions = {}, held: readonly K8sObject[] = []): Promise<Watched> => {
    const list = json(listOf(held, 10));
    collection.list = (response, request) => {
      const name = request.path.split('/configmaps/')[1];
      if (name === undefined) return list(response, request);
      calls.push(`${request.method} ${name}`);
      return answerToCall(response, request);
    };
    const watched = watches.watch(CONFIG_MAP, options);
    await watched.synced;
    return watched;
  };
  const get = (name: string): Promise<K8sObject | undefined> =>
    cluster.get(refOf(configMap(name, 0)), { signal: NEVER });
  const apply = (object: K8sObject): Promise<K8sObject> =>
    cluster.apply(object, { signal: NEVER, force: true });

  beforeEach(async () => {
    collection = new FakeCollection();
    await collection.start();
    clock = new SleepClock();
    transport = connect({ url: collection.server.url, clock });
    const discovery = createDiscovery({ transport, clock });
    watches = createWatches({ transport, discovery, clock, random: () => 0, logger: SILENT });
    cluster = withCache(createCluster({ transport, discovery, observer: watches }), watches);
    calls = [];
    answerToCall = refusal(404, 'NotFound', 'configmaps "x" not found');
  });

  afterEach(async () => {
    watches.stopAll();
    await collection.server.close();
    await transport.close();
  });

  it('reads a watched object without a call', async () => {
    await watch({ labelSelector: 'owner' }, [configMap('a', 3, OURS)]);

    expect(await get('a')).to.deep.equal(configMap('a', 3, OURS));
    expect(calls).to.deep.equal([]);
  });

  it('asks the server for an object that a selecting watch does not hold, each time', async () => {
    await watch({ labelSelector: 'owner' });
    answerToCall = json(configMap('a', 3));

    const found = [await get('a'), await get('a')];

    expect(found).to.deep.equal([configMap('a', 3), configMap('a', 3)]);
    expect(calls).to.deep.equal(['GET a', 'GET a']);
  });

  it('knows without a call what a watch of everything does not hold', async () => {
    await watch();

    expect(await get('a')).to.equal(undefined);
    expect(calls).to.deep.equal([]);
  });

  it('asks the server about namespaces that are not watched', async () => {
    await watch({ namespace: 'other' });

    await get('a');

    expect(calls).to.deep.equal(['GET a']);
  });

  it('asks the server when the watch holds only metadata', async () => {
    await watch({ metadataOnly: true }, [configMap('a', 3)]);

    await get('a');

    expect(calls).to.deep.equal(['GET a']);
  });

  it('asks the server before the first list is complete', async () => {
    await watch({ namespace: 'other' });
    const listed = collection.list;
    collection.list = (response, request) => {
      // The list of the new watch never comes.
      if (request.path !== '/api/v1/configmaps') listed(response, request);
    };
    const watched = watches.watch(CONFIG_MAP, {});

    await get('a');

    expect(watched.isSynced()).to.equal(false);
    expect(calls).to.deep.equal(['GET a']);
  });

  it('asks the server after a watch was stopped', async () => {
    const watched = await watch({}, [configMap('a', 3)]);

    watched.stop();
    await get('a');

    expect(calls).to.deep.equal(['GET a']);
  });

  it('shows our own write at once, before the watch does', async () => {
    const watched = await watch({ labelSelector: 'owner' });
    answerToCall = json(configMap('a', 20, OURS));

    await apply(configMap('a', 0, OURS));

    expect(await get('a')).to.deep.equal(configMap('a', 20, OURS));
    expect(watched.list()).to.have.length(1);
    expect(calls).to.deep.equal(['PATCH a']);
  });

  it('does not take a write into a watch that would not select it', async () => {
    const watched = await watch({ labelSelector: 'owner' });
    answerToCall = json(configMap('a', 20));

    await apply(configMap('a', 0));

    expect(watched.list()).to.deep.equal([]);
  });

  it('takes an object out of a watch when our write removed its label', async () => {
    const watched = await watch({ labelSelector: 'owner' }, [configMap('a', 3, OURS)]);
    answerToCall = json(configMap('a', 20));

    await apply(configMap('a', 0));

    expect(watched.get(refOf(configMap('a', 0)))).to.equal(undefined);
  });

  it('shows of our own write only metadata in a watch of metadata', async () => {
    const watched = await watch({ metadataOnly: true });
    answerToCall = json({ ...configMap('a', 20), data: { secret: 'x' } });

    await apply(configMap('a', 0));

    expect(watched.list()).to.deep.equal([configMap('a', 20)]);
  });

  it('leaves out at once what we deleted', async () => {
    await watch({}, [configMap('a', 3)]);
    answerToCall = json({ kind: 'Status', status: 'Success', details: { uid: 'uid-a' } });

    await cluster.delete(refOf(configMap('a', 0)), { signal: NEVER, uid: 'uid-a' });

    expect(await get('a')).to.equal(undefined);
    expect(calls).to.deep.equal(['DELETE a']);
  });

  it('shows our own status at once', async () => {
    const watched = await watch({}, [configMap('a', 3)]);
    answerToCall = (response, request) =>
      json({ ...configMap('a', 30), ...bodyOf(request) })(response, request);

    await cluster.patchStatus(refOf(configMap('a', 0)), { phase: 'HEALTHY' }, { signal: NEVER });

    expect(watched.get(refOf(configMap('a', 0)))?.['status']).to.deep.equal({ phase: 'HEALTHY' });
  });

  it('lists anew when it is refreshed, tells what changed, and answers nothing until then', async () => {
    const watched = await watch({}, [configMap('a', 3), configMap('b', 4)]);
    const events: string[] = [];
    watched.onChange(({ type, object }) => events.push(`${type} ${object.metadata.name}`));
    events.length = 0;
    answerToCall = json(configMap('a', 11));
    const listed = collection.list;
    const held = Promise.withResolvers<void>();
    collection.list = (response, request) => {
      if (request.path === '/api/v1/configmaps')
        void held.promise.then(() => json(listOf([configMap('a', 11)], 12))(response, request));
      else listed(response, request);
    };

    const refreshed = watched.refresh();
    await get('a');
    held.resolve();
    await refreshed;
    await get('a');

    expect(events).to.have.members(['updated a', 'deleted b']);
    expect(calls).to.deep.equal(['GET a']);
  });

  it('takes nothing it held for the truth when it is refreshed, not even what has the same version', async () => {
    const watched = await watch({}, [configMap('a', 3)]);
    const restored = configMap('a', 3, { labels: { is: 'another' } });
    collection.list = json(listOf([restored], 10));

    await watched.refresh();

    expect(watched.list()).to.deep.equal([restored]);
  });

  it('answers nothing after the server was away, until it has listed anew', async () => {
    const watched = await watch({}, [configMap('a', 30)]);
    const told: boolean[] = [];
    watched.onSync((isSynced) => told.push(isSynced));
    answerToCall = json(configMap('a', 4));
    const open = await collection.watchNumber(1);
    collection.watch = reset;
    open.cut();
    await clock.waitOut(500);
    await until('it is told', () => told.length > 0);
    const early = [watched.isSynced(), versionOf(await get('a'))];
    collection.watch = (response) => collection.open(response);
    collection.holds([configMap('a', 4)], 5);
    await clock.waitOut(500);
    await until('it is told', () => told.includes(true));

    expect([early, watched.isSynced(), versionOf(await get('a'))]).to.deep.equal([[false, '4'], true, '4']);
    expect([calls, told]).to.deep.equal([['GET a'], [false, true]]);
  });

  it('is synced also when it is refreshed before its first list is complete', async () => {
    await watch({ namespace: 'other' });
    const listed = collection.list;
    let lists = 0;
    collection.list = (response, request) => {
      if (request.path === '/api/v1/configmaps') lists += 1;
      // The first list of the new watch never comes.
      if (lists !== 1) listed(response, request);
    };
    const watched = watches.watch(CONFIG_MAP, {});
    await until('the first list is asked for', () => lists === 1);

    await watched.refresh();
    await watched.synced;

    expect([watched.isSynced(), lists]).to.deep.equal([true, 2]);
  });

  it('tells how old what it knows is, by kind', async () => {
    await watch();

    expect([...watches.ages()]).to.deep.equal([['ConfigMap', 0]]);
  });

  it('tells no age for a kind that is not served', async () => {
    collection.discover = json({ kind: 'APIResourceList', resources: [] });

    await watch();

    expect([...watches.ages()]).to.deep.equal([]);
  });

  it('closes all watches when stopped', async () => {
    await watch();
    const open = await collection.watchNumber(1);

    watches.stopAll();

    await until('the watch is closed', () => open.isClosed);
  });
});
