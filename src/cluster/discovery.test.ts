import { expect } from 'chai';
import { FakeClock } from '../controller/testing/fake-clock.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { JsonObject } from '../model/json.ts';
import type { GroupVersionKind } from '../model/object.ts';
import type { Discovery } from './discovery.ts';
import { createDiscovery } from './discovery.ts';
import type { ResourceMapping } from './resource-path.ts';
import { connect } from './testing/connect.ts';
import type { ReceivedRequest, Reply } from './testing/fake-api-server.ts';
import { FakeApiServer, hang, json, notFound, refusal, text } from './testing/fake-api-server.ts';
import { CONFIG_MAP, CORE_RESOURCES } from './testing/objects.ts';
import { until, untilSleeping } from './testing/until.ts';
import type { Transport } from './transport.ts';

const GATEWAY: GroupVersionKind = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway' };
const GATEWAYS: JsonObject = { resources: [{ name: 'gateways', kind: 'Gateway', namespaced: true }] };
const MAPPED: ResourceMapping = { ...GATEWAY, plural: 'gateways', namespaced: true };

describe('discovery', () => {
  let server: FakeApiServer;
  let clock: FakeClock;
  let transport: Transport;
  let discovery: Discovery;
  const resolve = (kind: GroupVersionKind, afresh = false): Promise<ResourceMapping | undefined> =>
    discovery.resolve(kind, { signal: new AbortController().signal, afresh });

  beforeEach(async () => {
    server = new FakeApiServer();
    await server.start();
    clock = new FakeClock();
    transport = connect({ url: server.url, clock });
    discovery = createDiscovery({ transport, clock });
  });

  afterEach(async () => {
    await server.close();
    await transport.close();
  });

  it('tells plural and scope, and leaves subresources out', async () => {
    server.always(json(CORE_RESOURCES));

    const found = [await resolve(CONFIG_MAP), await resolve({ apiVersion: 'v1', kind: 'Namespace' })];

    expect(found.map((mapping) => [mapping?.plural, mapping?.namespaced])).to.deep.equal([
      ['configmaps', true],
      ['namespaces', false],
    ]);
    expect(server.requests.map(({ path }) => path)).to.deep.equal(['/api/v1']);
  });

  describe('of a version that is not served any more', () => {
    const OLD: GroupVersionKind = { apiVersion: 'networking.istio.io/v1alpha1', kind: 'Gateway' };
    const resolveServed = (): Promise<ResourceMapping | undefined> =>
      discovery.resolveServed(OLD, { signal: new AbortController().signal });
    const serve = (versions: JsonObject, reply: Reply = notFound): void =>
      server.always((response, request) => {
        if (request.path === '/apis/networking.istio.io') json(versions)(response, request);
        else if (request.path === '/apis/networking.istio.io/v1') json(GATEWAYS)(response, request);
        else reply(response, request);
      });

    it('finds the kind in the version that is served', async () => {
      serve({ versions: ['v2', 'v1'].map((name) => ({ groupVersion: `networking.istio.io/${name}` })) });

      expect(await resolveServed()).to.deep.equal(MAPPED);
    });

    it('knows that there is none when no version has the kind, or there is no such group', async () => {
      serve({ versions: [{ groupVersion: 'networking.istio.io/v2' }] });
      const inNoVersion = await resolveServed();
      server.always(notFound);

      expect([inNoVersion, await resolveServed()]).to.deep.equal([undefined, undefined]);
    });

    it('does not take a server that cannot tell for one that has it not', async () => {
      const denied = refusal(403, 'Forbidden', 'no');
      serve({ versions: [{ groupVersion: 'networking.istio.io/v2' }] }, denied);

      const outcome = await resolveServed().catch((error: unknown) => error);

      expect(outcome).to.be.instanceOf(ClusterError);
    });
  });

  it('asks once for callers that come at the same time', async () => {
    server.always(json(GATEWAYS));

    const found = await Promise.all([resolve(GATEWAY), resolve(GATEWAY), resolve(GATEWAY)]);

    expect(found).to.deep.equal([MAPPED, MAPPED, MAPPED]);
    expect(server.requests).to.have.length(1);
  });

  it('lets one of several callers give up without ending the request of the others', async () => {
    const replies: (() => void)[] = [];
    server.always((response, request) => replies.push(() => json(GATEWAYS)(response, request)));
    const leaver = new AbortController();

    const left = discovery.resolve(GATEWAY, { signal: leaver.signal }).catch((error: unknown) => error);
    const stayed = resolve(GATEWAY);
    await until('the request arrived', () => replies.length === 1);
    leaver.abort();
    const failure = await left;
    replies[0]?.();

    expect(failure).to.be.instanceOf(ClusterError).and.include({ kind: 'cancelled' });
    expect(await stayed).to.deep.equal(MAPPED);
  });

  for (const [what, reply] of [
    ['404 in the form of the API', notFound],
    ['a plain 404', text(404, '404 page not found')],
    ['a group without the kind', json({ resources: [] })],
  ] as const) {
    it(`knows that a kind is not served from ${what}`, async () => {
      server.always(reply);

      expect(await resolve(GATEWAY)).to.equal(undefined);
    });
  }

  it('asks for a missing kind at most once a second', async () => {
    server.always(notFound);

    await resolve(GATEWAY);
    await resolve(GATEWAY);
    const early = server.requests.length;
    await clock.advance(1_000);
    await resolve(GATEWAY);

    expect([early, server.requests.length]).to.deep.equal([1, 2]);
  });

  it('asks at once for a missing kind that is about to be written', async () => {
    server.inTurn(notFound, json(GATEWAYS));

    const found = [await resolve(GATEWAY), await resolve(GATEWAY, true)];

    expect(found).to.deep.equal([undefined, MAPPED]);
  });

  it('forgets a group when its definitions changed, tells so, and keeps the others', async () => {
    const told: string[] = [];
    server.always((response, request) => groupOf(request)(response, request));
    await resolve(GATEWAY);
    await resolve(CONFIG_MAP);
    discovery.onDefinitionsChanged((group) => told.push(group));

    discovery.definitionsChanged('networking.istio.io');
    await resolve(GATEWAY);
    await resolve(CONFIG_MAP);

    expect(told).to.deep.equal(['networking.istio.io']);
    expect(server.requests.map(({ path }) => path)).to.deep.equal([
      '/apis/networking.istio.io/v1',
      '/api/v1',
      '/apis/networking.istio.io/v1',
    ]);
  });

  it('forgets a group of which a kind is gone without telling, because nothing new can be served', async () => {
    const told: string[] = [];
    server.always(json(GATEWAYS));
    await resolve(GATEWAY);
    discovery.onDefinitionsChanged((group) => told.push(group));

    discovery.forget('networking.istio.io');
    await resolve(GATEWAY);

    expect([told, server.requests.length]).to.deep.equal([[], 2]);
  });

  it('does not remember an answer that was under way when the group was forgotten', async () => {
    const replies: Reply[] = [json({ resources: [] }), json(GATEWAYS)];
    const held: (() => void)[] = [];
    server.always((response, request) => held.push(() => replies.shift()?.(response, request)));
    const before = resolve(GATEWAY);
    await until('the request arrived', () => held.length === 1);

    discovery.forget('networking.istio.io');
    held[0]?.();
    await before;
    const after = resolve(GATEWAY);
    await until('another request arrived', () => held.length === 2);
    held[1]?.();

    expect(await after).to.deep.equal(MAPPED);
  });

  it('goes on with what it knew while the server is away', async () => {
    server.always(json(GATEWAYS));
    await resolve(GATEWAY);
    await clock.advance(3_600_000);
    server.always(hang);

    const found = resolve(GATEWAY);
    await untilSleeping(clock, 1);
    await clock.advance(10_000);

    expect(await found).to.deep.equal(MAPPED);
  });

  it('fails when the server is away and nothing is known', async () => {
    server.always(refusal(403, 'Forbidden', 'User "x" cannot get path "/apis"'));

    const failure = await resolve(GATEWAY).catch((error: unknown) => error);

    expect(failure).to.be.instanceOf(ClusterError).and.include({ kind: 'forbidden' });
  });
});

function groupOf(request: ReceivedRequest): Reply {
  return json(request.path === '/api/v1' ? CORE_RESOURCES : GATEWAYS);
}
