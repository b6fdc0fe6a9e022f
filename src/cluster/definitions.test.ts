import { expect } from 'chai';
import type { Watched } from '../controller/watch.port.ts';
import { settled } from '../controller/testing/fake-clock.ts';
import type { Logger } from '../model/logger.ts';
import type { JsonObject } from '../model/json.ts';
import { createDiscovery } from './discovery.ts';
import { connect } from './testing/connect.ts';
import type { ReceivedRequest, Reply } from './testing/fake-api-server.ts';
import { FakeApiServer, OpenWatch, json, notFound, reset } from './testing/fake-api-server.ts';
import { CONFIG_MAP, CORE_RESOURCES, listOf } from './testing/objects.ts';
import { SleepClock } from './testing/sleep-clock.ts';
import { until } from './testing/until.ts';
import type { Transport } from './transport.ts';
import type { Watches } from './watches.ts';
import { createWatches } from './watches.ts';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const GROUP = '/apis/example.com/v1';
const EXTENSIONS = '/apis/apiextensions.k8s.io/v1';
const DEFINITIONS = `${EXTENSIONS}/customresourcedefinitions`;
const DEFINED: JsonObject = {
  resources: [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false }],
};
const SERVED: JsonObject = {
  resources: ['Widget', 'Gadget', 'Gizmo'].map((kind) => ({
    name: `${kind.toLowerCase()}s`,
    kind,
    namespaced: true,
  })),
};

function kindOf(kind: string): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: 'example.com/v1', kind };
}

function definition(name: string, resourceVersion: number): JsonObject {
  return {
    kind: 'PartialObjectMetadata',
    metadata: { name, uid: name, resourceVersion: `${resourceVersion}` },
  };
}

describe('watches of kinds that are not served', () => {
  let server: FakeApiServer;
  let clock: SleepClock;
  let transport: Transport;
  let watches: Watches;
  let definitions: OpenWatch[];
  let others: OpenWatch[];
  let replies: Map<string, Reply>;
  const requestsOf = (path: string): readonly ReceivedRequest[] =>
    server.requests.filter((request) => request.path === path);
  const answer: Reply = (response, request) => {
    const scripted = replies.get(request.path);
    if (scripted !== undefined) return scripted(response, request);
    if (!request.isWatch) return json(listOf([], 1))(response, request);
    (request.path === DEFINITIONS ? definitions : others).push(new OpenWatch(response));
  };
  const followed = async (): Promise<OpenWatch> => {
    await until('definitions are watched', () => definitions.length > 0);
    const last = definitions.at(-1);
    if (last === undefined) throw new Error('no watch');
    return last;
  };
  const watchUnserved = async (...kinds: readonly string[]): Promise<readonly Watched[]> => {
    const watched = kinds.map((kind) => watches.watch(kindOf(kind), {}));
    await Promise.all(watched.map(async ({ synced }) => synced));
    await followed();
    return watched;
  };

  beforeEach(async () => {
    definitions = [];
    others = [];
    replies = new Map([
      [EXTENSIONS, json(DEFINED)],
      [GROUP, notFound],
      ['/api/v1', json(CORE_RESOURCES)],
    ]);
    server = new FakeApiServer();
    await server.start();
    server.always(answer);
    clock = new SleepClock();
    transport = connect({ url: server.url, clock });
    const discovery = createDiscovery({ transport, clock });
    watches = createWatches({ transport, discovery, clock, random: () => 0, logger: SILENT });
  });

  afterEach(async () => {
    watches.stopAll();
    await server.close();
    await transport.close();
  });

  it('need one more watch, of metadata, however many they are', async () => {
    await watchUnserved('Widget', 'Gadget', 'Gizmo');

    const requests = requestsOf(DEFINITIONS);
    expect(requests.map(({ isWatch }) => isWatch)).to.deep.equal([false, true]);
    expect(requests.map(({ headers }) => headers.accept)).to.deep.equal(
      ['PartialObjectMetadataList', 'PartialObjectMetadata'].map(
        (kind) => `application/json;as=${kind};g=meta.k8s.io;v=v1`,
      ),
    );
  });

  it('ask nothing for minutes once they were found missing', async () => {
    await watchUnserved('Widget', 'Gadget');
    await clock.advance(10_000);
    await settled();
    const early = server.requests.length;
    await clock.advance(110_000);

    expect(server.requests.length - early).to.equal(0);
    expect(requestsOf(GROUP)).to.have.length(1);
  });

  it('begin as soon as the server serves the kind of a new definition, which is after its first news', async () => {
    await watchUnserved('Widget');
    await clock.advance(60_000);

    (await followed()).send('ADDED', definition('widgets.example.com', 5));
    await clock.waitOut(200);
    replies.set(GROUP, json(SERVED));
    (await followed()).send('MODIFIED', definition('widgets.example.com', 6));
    await until('the kind is watched', () => others.length === 1);

    expect(requestsOf(`${GROUP}/widgets`).map(({ isWatch }) => isWatch)).to.deep.equal([false, true]);
  });

  it('learn of a definition that came while news could not be had', async () => {
    await watchUnserved('Widget');
    await clock.advance(60_000);
    replies.set(DEFINITIONS, reset);
    (await followed()).cut();
    await clock.waitOut(500);
    replies.set(GROUP, json(SERVED));
    replies.set(DEFINITIONS, (response, request) => {
      if (request.isWatch) return reset(response, request);
      json({ metadata: { resourceVersion: '9' }, items: [definition('widgets.example.com', 8)] })(
        response,
        request,
      );
    });
    await clock.waitOut(500);

    await until('the kind is watched', () => others.length > 0);
  });

  it('are left alone again when their definition went away', async () => {
    replies.set(GROUP, json(SERVED));
    const widgets = watches.watch(kindOf('Widget'), {});
    const missing = watches.watch({ apiVersion: 'other.example.com/v1', kind: 'Other' }, {});
    await Promise.all([widgets.synced, missing.synced]);
    await followed();
    await until('the kind is watched', () => others.length === 1);
    await clock.advance(1_000);
    replies.set(GROUP, notFound);
    const asked = requestsOf(GROUP).length;
    (await followed()).send('ADDED', definition('widgets.example.com', 5));
    (await followed()).send('DELETED', definition('widgets.example.com', 6));
    await settled();
    others[0]?.cut();
    await clock.waitOut(800);
    await until('it is found missing', () => requestsOf(GROUP).length > asked);
    await settled();
    await clock.advance(120_000);

    expect(requestsOf(GROUP).length - asked).to.equal(1);
  });

  it('are the only ones that need news of definitions', async () => {
    const watched = watches.watch(CONFIG_MAP, {});
    await watched.synced;
    await until('it is watched', () => others.length === 1);
    await settled();

    expect(requestsOf(EXTENSIONS)).to.deep.equal([]);
  });

  it('take the watch of definitions with them when the last one is stopped', async () => {
    const watched = await watchUnserved('Widget', 'Gadget');
    const open = await followed();

    for (const one of watched) one.stop();

    await until('the watch is closed', () => open.isClosed);
    await until('nothing sleeps', () => clock.sleeping === 0);
  });
});

describe('watches of a server that is away', () => {
  const COUNT = 20;
  let server: FakeApiServer;
  let clock: SleepClock;
  let transport: Transport;
  let watches: Watches;
  let open: OpenWatch[];
  let isAway: boolean;

  beforeEach(async () => {
    open = [];
    isAway = false;
    server = new FakeApiServer();
    await server.start();
    server.always((response, request) => {
      if (isAway) return reset(response, request);
      if (request.isWatch) return open.push(new OpenWatch(response));
      const isDiscovery = request.path === '/api/v1';
      json(isDiscovery ? CORE_RESOURCES : listOf([], 1))(response, request);
    });
    clock = new SleepClock();
    transport = connect({ url: server.url, clock });
    const discovery = createDiscovery({ transport, clock });
    watches = createWatches({ transport, discovery, clock, random: () => 0, logger: SILENT });
    for (let count = 0; count < COUNT; count += 1) watches.watch(CONFIG_MAP, { labelSelector: `l${count}` });
    await until('all are open', () => open.length === COUNT);
    await clock.advance(60_000);
  });

  afterEach(async () => {
    watches.stopAll();
    await server.close();
    await transport.close();
  });

  /** Everything breaks off; then so many seconds in which nothing is to be had. */
  const goAway = async (seconds: number): Promise<void> => {
    isAway = true;
    open = [];
    server.cut();
    for (let half = 0; half < 2 * seconds; half += 1) {
      await clock.waitOut(500);
      for (let turn = 0; turn < 5; turn += 1) await settled();
    }
  };

  it('try twice a second, all of them together', async () => {
    const before = server.requests.length;

    await goAway(60);

    // Each tries once by itself at first, when it does not know yet that the others were cut too.
    expect(server.requests.length - before).to.be.within(100, 120 + 2 * COUNT);
  });

  it('are all open again within a second after it is back, however long it was away', async () => {
    await goAway(120);

    isAway = false;
    await clock.waitOut(500);
    await until('one is open', () => open.length > 0);
    await clock.advance(250);
    await until('all are open', () => open.length === COUNT);
  });
});
