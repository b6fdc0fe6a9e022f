import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import type { Logger } from '../model/logger.ts';
import type { Discovery } from './discovery.ts';
import { createDiscovery } from './discovery.ts';
import { Outage } from './outage.ts';
import type { DefinitionSight, ReflectorSettings } from './reflector.ts';
import { Reflector } from './reflector.ts';
import { ObjectStore } from './store.ts';
import { connect } from './testing/connect.ts';
import type { OpenWatch } from './testing/fake-api-server.ts';
import { json, notFound, refusal, reset, statusObject } from './testing/fake-api-server.ts';
import { FakeCollection } from './testing/fake-collection.ts';
import { CONFIG_MAP, CORE_RESOURCES, configMap, listOf } from './testing/objects.ts';
import { SleepClock } from './testing/sleep-clock.ts';
import { until } from './testing/until.ts';
import type { Transport } from './transport.ts';

const BUSY = refusal(503, 'ServiceUnavailable', 'not ready');
const BOOKMARK = (resourceVersion: string) => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { resourceVersion },
});

describe('the reflector', () => {
  let collection: FakeCollection;
  let clock: SleepClock;
  let transport: Transport;
  let discovery: Discovery;
  let store: ObjectStore;
  let definitions: DefinitionSight | undefined;
  let reflector: Reflector;
  let warnings: string[];
  let events: string[];

  const start = (settings: Partial<ReflectorSettings> = {}): void => {
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => warnings.push(message),
      error: () => undefined,
    };
    store = new ObjectStore(logger);
    store.onChange(({ type, object }) => events.push(`${type} ${object.metadata.name}`));
    const outage = new Outage({ clock, random: () => 0 });
    const news = definitions === undefined ? {} : { definitions };
    const deps = { transport, discovery, outage, clock, random: () => 0, logger, ...news };
    reflector = new Reflector(deps, { kind: CONFIG_MAP, selection: {}, ...settings }, store);
  };
  const told = async (event: string): Promise<void> =>
    until(`"${event}" is told`, () => events.includes(event));
  /** So many minutes in which nothing is told but that the watch is alive. */
  const lives = async (watch: OpenWatch, minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await clock.advance(60_000);
      watch.send('BOOKMARK', BOOKMARK('7'));
      await until('the bookmark arrived', () => reflector.lastEventAgeMs() === 0);
    }
  };
  beforeEach(async () => {
    collection = new FakeCollection();
    await collection.start();
    clock = new SleepClock();
    transport = connect({ url: collection.server.url, clock });
    discovery = createDiscovery({ transport, clock });
    definitions = undefined;
    warnings = [];
    events = [];
  });

  afterEach(async () => {
    reflector.stop();
    await collection.server.close();
    await transport.close();
  });

  it('lists, then follows from there', async () => {
    collection.holds([configMap('a', 3)], 7);
    start();

    await reflector.synced;
    const watch = await collection.watchNumber(1);
    watch.send('ADDED', configMap('b', 8));
    watch.send('MODIFIED', configMap('a', 9));
    watch.send('DELETED', configMap('b', 10));
    await told('deleted b');

    expect(events).to.deep.equal(['added a', 'added b', 'updated a', 'deleted b']);
    expect(collection.watchRequests[0]?.query).to.deep.equal({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '7',
      timeoutSeconds: '300',
    });
  });

  it('asks only for what is selected, as metadata when told so', async () => {
    const { metadata } = configMap('a', 1);
    const item = { kind: 'PartialObjectMetadata', metadata: { ...metadata, managedFields: [] } };
    collection.list = json({ metadata: { resourceVersion: '2' }, items: [item] });
    start({
      selection: {
        namespace: 'n',
        labelSelector: 'app',
        fieldSelector: 'metadata.name=a',
        metadataOnly: true,
      },
    });

    await reflector.synced;
    await collection.watchNumber(1);

    expect(store.list()).to.deep.equal([configMap('a', 1)]);
    const [list, watch] = [collection.lists[0], collection.watchRequests[0]];
    expect([list?.path, watch?.path]).to.deep.equal(
      Array.from({ length: 2 }, () => '/api/v1/namespaces/n/configmaps'),
    );
    expect(list?.query).to.include({ labelSelector: 'app', fieldSelector: 'metadata.name=a' });
    expect(watch?.query).to.include({ labelSelector: 'app', fieldSelector: 'metadata.name=a' });
    expect(list?.headers.accept).to.equal('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
    expect(watch?.headers.accept).to.equal('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
  });

  it('reports nothing of a list as gone that stands on a later page', async () => {
    collection.list = (response, request) => {
      const isLast = request.query['continue'] === 'next';
      json(isLast ? listOf([configMap('b', 2)], 9) : listOf([configMap('a', 1)], 9, 'next'))(
        response,
        request,
      );
    };
    start();

    await reflector.synced;

    expect(store.list().map(({ metadata }) => metadata.name)).to.deep.equal(['a', 'b']);
    expect(events).to.deep.equal(['added a', 'added b']);
  });

  it('is not synced before a list succeeded, however often it fails', async () => {
    collection.list = refusal(403, 'Forbidden', 'User "x" cannot list resource "configmaps"');
    start();

    await clock.waitOut(800);
    await clock.waitOut(1_600);
    const early = reflector.state;
    collection.holds([configMap('a', 1)], 1);
    await clock.waitOut(3_200);
    await reflector.synced;

    expect(early).to.equal('starting');
    expect(reflector.state).to.equal('live');
    expect(warnings).to.deep.equal(['a watch keeps failing']);
  });

  describe('when a watch ends', () => {
    beforeEach(() => {
      collection.holds([configMap('a', 3)], 7);
      start();
    });

    it('reopens at once from the last event after an end in good order', async () => {
      const watch = await collection.watchNumber(1);
      watch.send('ADDED', configMap('b', 8));
      await told('added b');
      watch.end();

      await collection.watchNumber(2);

      expect(collection.watchRequests[1]?.query['resourceVersion']).to.equal('8');
      expect(collection.lists).to.have.length(1);
    });

    it('goes on from the last bookmark', async () => {
      const watch = await collection.watchNumber(1);
      watch.send('BOOKMARK', BOOKMARK('42'));
      watch.end();

      await collection.watchNumber(2);

      expect(collection.watchRequests[1]?.query['resourceVersion']).to.equal('42');
      expect(events).to.deep.equal(['added a']);
    });

    it('goes on from the last event after a lost connection, and loses nothing of a half line', async () => {
      const watch = await collection.watchNumber(1);
      watch.send('ADDED', configMap('b', 8));
      await told('added b');
      watch.raw('{"type":"ADDED","object":{"kind":');
      watch.cut();
      await clock.waitOut(500);
      const next = await collection.watchNumber(2);
      next.send('ADDED', configMap('c', 9));
      await told('added c');

      expect(collection.watchRequests[1]?.query['resourceVersion']).to.equal('8');
      expect(collection.lists).to.have.length(1);
    });

    it('lists anew at once when its start is too old, by status or by event', async () => {
      collection.holds([configMap('a', 3), configMap('b', 50)], 60);
      (await collection.watchNumber(1)).send(
        'ERROR',
        statusObject(410, 'Expired', 'too old resource version: 7 (60)'),
      );
      await collection.watchNumber(2);

      expect(store.list()).to.have.length(2);
      expect(collection.lists).to.have.length(2);
      expect(collection.watchRequests[1]?.query['resourceVersion']).to.equal('60');
    });

    it('takes no offence when its start is too old time and again, as while definitions change', async () => {
      for (const count of [1, 2, 3, 4, 5]) {
        const watch = await collection.watchNumber(count);
        watch.send('BOOKMARK', BOOKMARK('9'));
        watch.send('ERROR', statusObject(410, 'Expired', 'too old resource version'));
      }
      await collection.watchNumber(6);

      expect(collection.lists).to.have.length(6);
      expect(warnings).to.deep.equal([]);
    });

    it('does not list in a loop when every watch is too old at once', async () => {
      const watch = await collection.watchNumber(1);
      collection.watch = refusal(410, 'Expired', 'too old resource version');
      watch.send('BOOKMARK', BOOKMARK('9'));
      watch.end();

      await until('it waits', () => clock.isSomebodySleepingFor(800));
      const early = collection.lists.length;
      await clock.waitOut(800);
      await until('it lists again', () => collection.lists.length === 3);

      expect(early).to.equal(2);
    });

    it('takes any other error event for the end of the watch', async () => {
      (await collection.watchNumber(1)).send(
        'ERROR',
        statusObject(500, 'InternalError', 'etcd event received'),
      );
      await clock.waitOut(500);
      await collection.watchNumber(2);

      expect(collection.watchRequests[1]?.query['resourceVersion']).to.equal('7');
    });

    it('lists anew after a line that is no event, because one is lost', async () => {
      const watch = await collection.watchNumber(1);
      collection.holds([configMap('b', 9)], 9);
      watch.raw('nonsense\n');
      await clock.waitOut(500);
      await collection.watchNumber(2);

      expect(events).to.deep.equal(['added a', 'added b', 'deleted a']);
    });

    it('tells an object that was re-created in between as deleted and added', async () => {
      (await collection.watchNumber(1)).cut();
      await clock.waitOut(500);
      (await collection.watchNumber(2)).send('MODIFIED', configMap('a', 20, { uid: 'another' }));
      await until('it is told', () => events.length === 3);

      expect(events).to.deep.equal(['added a', 'deleted a', 'added a']);
    });

    it('lists anew when nothing at all came for two minutes', async () => {
      await collection.watchNumber(1);
      const ageBefore = reflector.lastEventAgeMs();

      await clock.waitOut(120_000);
      await clock.waitOut(500);
      await collection.watchNumber(2);

      expect(ageBefore).to.equal(0);
      expect(collection.lists).to.have.length(2);
      await until('the silent watch is closed', () => collection.watches[0]?.isClosed === true);
    });

    it('keeps a quiet watch that gets bookmarks', async () => {
      const watch = await collection.watchNumber(1);
      for (let minute = 1; minute <= 5; minute += 1) {
        await clock.advance(60_000);
        watch.send('BOOKMARK', BOOKMARK(String(100 + minute)));
        await until('the bookmark arrived', () => reflector.lastEventAgeMs() === 0);
      }

      expect(collection.watchRequests).to.have.length(1);
      expect(collection.lists).to.have.length(1);
    });

    it('survives a server that is away for long, and is back half a second after it', async () => {
      const watch = await collection.watchNumber(1);
      collection.watch = reset;
      collection.list = BUSY;
      watch.cut();
      // Once a watch could not be opened it lists; no try is repeated before its turn comes again.
      for (let tries = 1; tries <= 12; tries += 1) await clock.waitOut(500);
      collection.watch = (response) => collection.open(response);
      collection.holds([configMap('a', 3), configMap('b', 70)], 80);
      await clock.waitOut(500);

      await collection.watchNumber(2);

      expect(store.list()).to.have.length(2);
      expect([collection.watchRequests.length, collection.lists.length]).to.deep.equal([3, 13]);
      expect(warnings).to.deep.equal(['a watch keeps failing']);
    });

    it('lists anew after the server was away, because an older state of it may have been restored', async () => {
      const watch = await collection.watchNumber(1);
      const currency: boolean[] = [];
      reflector.onCurrency((isCurrent) => currency.push(isCurrent));
      watch.send('MODIFIED', configMap('a', 30));
      await told('updated a');
      watch.send('ADDED', configMap('b', 31));
      await told('added b');
      collection.watch = reset;
      watch.cut();
      await clock.waitOut(500);
      await until('it waits', () => clock.isSomebodySleepingFor(16_000));
      const early = reflector.isCurrent;
      collection.watch = (response) => collection.open(response);
      collection.holds([configMap('a', 3), configMap('c', 4)], 9);
      await clock.waitOut(500);
      (await collection.watchNumber(2)).send('MODIFIED', configMap('a', 10));
      await until('the event arrived', () => events.length === 7);

      expect(events.slice(3)).to.have.members(['updated a', 'added c', 'deleted b', 'updated a']);
      expect(collection.watchRequests.at(-1)?.query['resourceVersion']).to.equal('9');
      expect([early, reflector.isCurrent, currency]).to.deep.equal([false, true, [false, true]]);
    });

    it('does not go on with a watch that was opened late, from where the server was before', async () => {
      const watch = await collection.watchNumber(1);
      const held = Promise.withResolvers<void>();
      collection.watch = (response) => void held.promise.then(() => collection.open(response));
      watch.cut();
      await clock.waitOut(500);
      await until('it is asked for', () => collection.watchRequests.length === 2);
      await clock.advance(1_000);
      collection.holds([configMap('a', 1)], 5);
      held.resolve();
      await collection.watchNumber(3);

      const starts = collection.watchRequests.map(({ query }) => query['resourceVersion']);
      expect(starts).to.deep.equal(['7', '7', '5']);
      await until('the late one is closed', () => collection.watches[1]?.isClosed === true);
    });

    it('closes a late watch also when the server ended it at once, and survives that', async () => {
      const watch = await collection.watchNumber(1);
      const held = Promise.withResolvers<void>();
      const endAtOnce = (response: ServerResponse): void => {
        collection.watch = (next) => collection.open(next);
        response.writeHead(200).end();
      };
      collection.watch = (response) => void held.promise.then(() => endAtOnce(response));
      watch.cut();
      await clock.waitOut(500);
      await until('it is asked for', () => collection.watchRequests.length === 2);
      await clock.advance(1_000);
      held.resolve();
      await collection.watchNumber(2);

      expect(collection.watchRequests).to.have.length(3);
    });

    it('lists once after the server was away, however long the list takes', async () => {
      const watch = await collection.watchNumber(1);
      const late = Promise.withResolvers<void>();
      const listed = Promise.withResolvers<void>();
      collection.watch = (response) => void late.promise.then(() => collection.open(response));
      collection.list = (response, request) =>
        void listed.promise.then(() => json(listOf([configMap('a', 3)], 9))(response, request));
      watch.cut();
      await clock.waitOut(500);
      await until('it is asked for', () => collection.watchRequests.length === 2);
      await clock.advance(1_000);
      late.resolve();
      await until('it lists anew', () => collection.lists.length === 2);
      await clock.advance(3_000);
      listed.resolve();
      (await collection.watchNumber(3)).send('ADDED', configMap('b', 10));
      await told('added b');

      expect([reflector.isCurrent, collection.lists.length]).to.deep.equal([true, 2]);
    });

    it('does not take a server that tells to come later for one that is away', async () => {
      const watch = await collection.watchNumber(1);
      collection.watch = refusal(429, 'TooManyRequests', 'later');
      watch.cut();
      await clock.waitOut(500);
      await until('it was refused', () => collection.watchRequests.length === 2);
      await until('it waits', () => clock.isSomebodySleepingFor(16_000));

      expect(reflector.isCurrent).to.equal(true);
    });

    it('takes a resourceVersion that comes again after a restore for another state', async () => {
      const watch = await collection.watchNumber(1);
      collection.watch = reset;
      watch.cut();
      await clock.waitOut(500);
      await until('it waits', () => clock.isSomebodySleepingFor(16_000));
      collection.watch = (response) => collection.open(response);
      collection.holds([configMap('a', 3, { labels: { is: 'another' } })], 9);
      await clock.waitOut(500);
      await collection.watchNumber(2);

      expect(store.list()).to.deep.equal([configMap('a', 3, { labels: { is: 'another' } })]);
      expect(events).to.deep.equal(['added a', 'updated a']);
    });

    it('does not hammer a server that ends every watch at once', async () => {
      (await collection.watchNumber(1)).end();
      await until('it waits', () => clock.isSomebodySleepingFor(500));
      await clock.advance(499);
      const early = collection.watchRequests.length;
      await clock.advance(1);
      await collection.watchNumber(2);

      expect(early).to.equal(1);
    });

    it('takes no refusal by a server that is coming back for one that lasts', async () => {
      const watch = await collection.watchNumber(1);
      collection.watch = reset;
      collection.list = BUSY;
      watch.cut();
      for (let tries = 1; tries <= 5; tries += 1) await clock.waitOut(500);
      collection.list = refusal(403, 'Forbidden', 'User "x" cannot list resource "configmaps"');
      await clock.waitOut(500);
      await until('it waits', () => clock.isSomebodySleepingFor(800));
      collection.watch = (response) => collection.open(response);
      collection.holds([configMap('a', 3)], 80);
      await clock.waitOut(800);

      await collection.watchNumber(2);
    });

    it('asks no sooner than the server told it to', async () => {
      const watch = await collection.watchNumber(1);
      collection.watch = refusal(429, 'TooManyRequests', 'storage is (re)initializing', {
        headers: { 'retry-after': '3' },
      });
      watch.cut();
      await clock.waitOut(500);
      await until('it waits', () => clock.isSomebodySleepingFor(3_000));
      await clock.advance(3_000);
      const early = collection.watchRequests.length;
      await clock.waitOut(500);
      await until('it asks again', () => collection.watchRequests.length === 3);

      expect(early).to.equal(2);
    });

    it('waits from the start again after a healthy minute', async () => {
      (await collection.watchNumber(1)).cut();
      await clock.waitOut(500);
      const second = await collection.watchNumber(2);
      await clock.advance(60_000);
      second.send('BOOKMARK', BOOKMARK('9'));
      await until('the bookmark arrived', () => reflector.lastEventAgeMs() === 0);
      second.cut();

      await clock.waitOut(500);

      await collection.watchNumber(3);
    });
  });

  it('lists anew once the time for it has come', async () => {
    start({ relistMs: 60_000 });
    const watch = await collection.watchNumber(1);
    await clock.advance(60_000);
    watch.end();
    await collection.watchNumber(2);

    expect(collection.watchRequests[0]?.query['timeoutSeconds']).to.equal('60');
    expect(collection.lists).to.have.length(2);
  });

  it('does not put off a list that is due by watches that end before', async () => {
    start({ relistMs: 90_000 });
    const first = await collection.watchNumber(1);
    await clock.advance(60_000);
    first.end();
    const second = await collection.watchNumber(2);
    const early = collection.lists.length;
    await clock.advance(30_000);
    second.cut();
    await clock.waitOut(500);
    await collection.watchNumber(3);

    const seconds = collection.watchRequests.map(({ query }) => query['timeoutSeconds']);
    expect(seconds).to.deep.equal(['90', '30', '90']);
    expect([early, collection.lists.length]).to.deep.equal([1, 2]);
  });

  it('goes back with a server that lags, and forth again with its watch, without listing any more', async () => {
    collection.holds([configMap('a', 3), configMap('gone', 4)], 7);
    start({ relistMs: 60_000 });
    const watch = await collection.watchNumber(1);
    watch.send('MODIFIED', configMap('a', 30));
    watch.send('ADDED', configMap('b', 31));
    watch.send('DELETED', configMap('gone', 32));
    await told('deleted gone');
    await clock.advance(60_000);
    // Such as one whose cache is behind that of the one asked before. It tells what it lacks as soon as it has it.
    watch.end();
    const replay = await collection.watchNumber(2);
    const behind = store.list();
    replay.send('MODIFIED', configMap('a', 30));
    replay.send('ADDED', configMap('b', 31));
    replay.send('DELETED', configMap('gone', 32));
    await until('it caught up', () => events.filter((event) => event === 'deleted gone').length === 2);
    await clock.advance(59_000);

    expect(behind).to.have.deep.members([configMap('a', 3), configMap('gone', 4)]);
    expect(store.list()).to.have.deep.members([configMap('a', 30), configMap('b', 31)]);
    expect([collection.lists.length, collection.watchRequests.length]).to.deep.equal([2, 2]);
    expect(collection.watchRequests[1]?.query['resourceVersion']).to.equal('7');
  });

  it('goes on where it was when its history was compacted, and takes nothing for restored', async () => {
    const currency: boolean[] = [];
    collection.holds([configMap('a', 3)], 7);
    start();
    reflector.onCurrency((isCurrent) => currency.push(isCurrent));
    const watch = await collection.watchNumber(1);
    collection.watch = (response, request) => {
      collection.watch = (next) => collection.open(next);
      refusal(410, 'Expired', 'too old resource version: 7 (90)')(response, request);
    };
    collection.holds([configMap('a', 3)], 90);
    await clock.advance(5_000);
    watch.end();
    await collection.watchNumber(2);

    expect([currency, events, collection.lists.length]).to.deep.equal([[true], ['added a'], 2]);
  });

  it('makes good within ten minutes what a watch that never broke did not tell', async () => {
    start();
    const first = await collection.watchNumber(1);
    collection.holds([configMap('untold', 3)], 7);
    await lives(first, 5);
    first.end();
    const second = await collection.watchNumber(2);
    const known = [...events];
    await lives(second, 5);
    second.end();

    await told('added untold');
    expect(known).to.deep.equal([]);
  });

  it('does not ask without a pause for what discovery tells and the server does not have', async () => {
    collection.list = notFound;
    start();
    await until('it waits', () => clock.isSomebodySleepingFor(800));
    await clock.advance(799);

    expect(collection.lists).to.have.length(1);
  });

  it('keeps of objects only what tells them apart when told so', async () => {
    const { metadata } = configMap('a', 1, { labels: { large: 'label' } });
    const item = { kind: 'PartialObjectMetadata', metadata: { ...metadata, annotations: { large: 'text' } } };
    collection.list = json({ metadata: { resourceVersion: '2' }, items: [item] });
    start({ selection: { metadataOnly: true, identityOnly: true } });

    await reflector.synced;

    const { labels: _, ...identity } = metadata;
    expect(store.list()).to.deep.equal([{ ...CONFIG_MAP, metadata: identity }]);
    expect(collection.lists[0]?.query['limit']).to.equal('100');
  });

  describe('of a kind that is not served', () => {
    let sight: ReturnType<DefinitionSight['sightOf']>;
    let askedFor: (string | undefined)[];
    const discoveries = (): number =>
      collection.server.requests.filter(({ path }) => path === '/api/v1').length;
    const startUnserved = async (): Promise<void> => {
      collection.discover = notFound;
      start();
      await reflector.synced;
    };

    beforeEach(() => {
      sight = 'absent';
      askedFor = [];
      definitions = {
        follow: () => undefined,
        sightOf: (name) => {
          askedFor.push(name);
          return sight;
        },
      };
    });

    it('leaves the server alone for minutes while no definition comes', async () => {
      await startUnserved();
      await clock.advance(599_999);
      const early = discoveries();
      await clock.advance(1);
      await until('it asks again', () => discoveries() === 2);

      expect([early, askedFor[0]]).to.deep.equal([1, undefined]);
    });

    it('asks now and then while nothing can be told of definitions', async () => {
      sight = 'unknown';
      await startUnserved();

      // The answer to the first question counts for a second.
      for (const ms of [800, 1_600, 3_200, 6_400, 10_000, 10_000]) await clock.waitOut(ms);
      await until('it asks again', () => discoveries() === 6);
    });

    it('asks at once and again when a definition of its group comes, until it is served', async () => {
      await startUnserved();

      discovery.definitionsChanged('');
      await clock.waitOut(200);
      await clock.waitOut(400);
      await until('it waits', () => clock.isSomebodySleepingFor(800));
      collection.discover = json(CORE_RESOURCES);
      collection.holds([configMap('a', 1)], 1);
      discovery.definitionsChanged('');
      await told('added a');

      expect(discoveries()).to.equal(5);
    });

    it('asks ever more seldom when a definition of its group came and it is not served all the same', async () => {
      await startUnserved();

      discovery.definitionsChanged('');
      for (let ms = 200; ms < 600_000; ms *= 2) await clock.waitOut(ms);
      await clock.waitOut(600_000);
    });

    it('is not disturbed by definitions of other groups', async () => {
      await startUnserved();

      discovery.definitionsChanged('example.com');
      await clock.advance(60_000);

      expect(discoveries()).to.equal(1);
    });

    it('asks soon when it was served and its definition is still there', async () => {
      collection.holds([configMap('a', 3)], 7);
      start();
      const watch = await collection.watchNumber(1);
      sight = 'present';
      collection.discover = json({ resources: [] });
      collection.watch = notFound;
      watch.cut();
      await clock.waitOut(500);
      await clock.waitOut(800);
      await told('deleted a');
      await until('it waits', () => clock.isSomebodySleepingFor(800));

      expect(askedFor).to.deep.equal(['configmaps.']);
    });
  });

  it('takes a kind that is not served for an empty list until it appears', async () => {
    collection.discover = notFound;
    start();
    await reflector.synced;
    const early = reflector.state;
    collection.discover = json(CORE_RESOURCES);
    collection.holds([configMap('a', 1)], 1);

    discovery.definitionsChanged('');
    await told('added a');

    expect(early).to.equal('unserved');
    expect(reflector.state).to.equal('live');
  });

  it('empties the store when the kind goes away', async () => {
    collection.holds([configMap('a', 3)], 7);
    start();
    const watch = await collection.watchNumber(1);
    collection.discover = json({ resources: [] });
    collection.watch = notFound;
    collection.list = notFound;
    watch.cut();
    await clock.waitOut(500);
    await clock.waitOut(800);

    await told('deleted a');
    expect(reflector.state).to.equal('unserved');
  });

  it('opens nothing more after it was stopped, also while it waits', async () => {
    const watched = (): number => collection.watchRequests.length;
    start();
    (await collection.watchNumber(1)).cut();
    await until('it waits', () => clock.isSomebodySleepingFor(500));

    reflector.stop();
    await clock.advance(60_000);

    expect([watched(), clock.sleeping]).to.deep.equal([1, 0]);
  });

  it('closes its watch when it is stopped', async () => {
    start();
    const watch = await collection.watchNumber(1);

    reflector.stop();

    await until('the watch is closed', () => watch.isClosed);
    await until('nothing sleeps', () => clock.sleeping === 0);
  });
});
