/** The proxy itself, between the operator's own transport and watches and a real API server. */
import { expect } from 'chai';
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { JsonValue } from '../../src/model/json.ts';
import { at, listAt, stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { sharedControlPlane } from '../control-plane/shared.ts';
import type { ChaosProxy } from './chaos-proxy.ts';
import { startChaosProxy } from './chaos-proxy.ts';

for (const tls of [false, true]) {
  // One namespace each: the first is still on its way out when the second begins.
  const namespace = `chaos-proxy-${tls ? 'tls' : 'plain'}`;
  const maps = `/api/v1/namespaces/${namespace}/configmaps`;

  describe(`the chaos proxy over ${tls ? 'TLS' : 'plain HTTP'}`, () => {
    let plane: ControlPlane;
    let proxy: ChaosProxy;
    let client: Agent;

    before(async () => {
      plane = await sharedControlPlane();
      await plane.api.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
      proxy = await startChaosProxy(plane, { tag: 'proxy-e2e', tls });
      client = new Agent({ connect: { ca: plane.certificateAuthority } });
    });

    afterEach(async () => {
      proxy.calm();
      await plane.api.request('DELETE', maps);
    });

    after(async () => {
      await client.destroy();
      await proxy.close();
      await plane.api.request('DELETE', `/api/v1/namespaces/${namespace}`);
    });

    async function send(
      method: Dispatcher.HttpMethod,
      path: string,
      body?: object,
    ): Promise<Dispatcher.ResponseData> {
      const headers = { authorization: `Bearer ${plane.adminToken}`, 'content-type': 'application/json' };
      const options = { method, headers, dispatcher: client, signal: AbortSignal.timeout(5_000) };
      return request(`${proxy.server}${path}`, {
        ...options,
        body: body === undefined ? null : JSON.stringify(body),
      });
    }

    async function create(name: string): Promise<number> {
      const answer = await send('POST', maps, { metadata: { name } });
      await answer.body.text();
      return answer.statusCode;
    }

    async function names(list: Promise<JsonValue>): Promise<readonly (string | undefined)[]> {
      return listAt(await list, 'items')
        .map((item) => stringAt(item, 'metadata', 'name'))
        .filter((name) => name !== 'kube-root-ca.crt');
    }

    async function listed(): Promise<JsonValue> {
      return (await send('GET', maps)).body.json() as Promise<JsonValue>; // what JSON holds is a JsonValue
    }

    async function stored(): Promise<readonly (string | undefined)[]> {
      return names(plane.api.request('GET', maps).then(({ body }) => body));
    }

    /** Reads a watch until an event of that object, or the end. */
    async function watchUntil(answer: Dispatcher.ResponseData, name: string): Promise<string> {
      let text = '';
      for await (const chunk of answer.body.setEncoding('utf8')) {
        text += String(chunk);
        if (text.includes(`"name":"${name}"`)) break;
      }
      return text;
    }

    it('carries a request and its answer unchanged, and logs both', async () => {
      proxy.clearLog();

      const status = await create('a');

      const [exchange] = proxy.log;
      expect([status, await stored()]).to.deep.equal([201, ['a']]);
      expect([exchange?.tag, exchange?.request.class, exchange?.status]).to.deep.equal([
        'proxy-e2e',
        'create',
        201,
      ]);
      expect(proxy.writesUnderWay()).to.equal(0);
    });

    for (const [kind, isDone] of [
      ['reset', false],
      ['dropAnswer', true],
      ['truncate', true],
    ] as const) {
      it(`breaks the connection with ${kind}, ${isDone ? 'after' : 'before'} the server did its work`, async () => {
        proxy.arm({ when: ({ isWrite }) => isWrite, fault: { kind } });

        const error: unknown = await create('a').catch((cause: unknown) => cause);

        expect(error).to.be.instanceOf(Error);
        expect(await stored()).to.deep.equal(isDone ? ['a'] : []);
      });
    }

    it('carries the body of a deletion, and what comes after it on the same connection', async () => {
      await create('kept');

      const refused = await send('DELETE', `${maps}/kept`, { preconditions: { uid: 'of-another' } });
      await refused.body.text();
      const next = [await create('a'), await create('b')];

      expect([refused.statusCode, ...next]).to.deep.equal([409, 201, 201]);
      expect(await stored()).to.have.members(['kept', 'a', 'b']);
    });

    it('kills the client before or after the server did its work', async () => {
      const deaths: string[] = [];
      const crash = (): void => void deaths.push('killed');
      proxy.arm({ when: ({ isWrite }) => isWrite, fault: { kind: 'crashBefore', crash } });
      proxy.arm({ when: ({ isWrite }) => isWrite, fault: { kind: 'crashAfter', crash } });

      await create('before').catch(() => undefined);
      await create('after').catch(() => undefined);

      expect([deaths, await stored()]).to.deep.equal([['killed', 'killed'], ['after']]);
    });

    it('refuses with a status and Retry-After, as many times as it is told to', async () => {
      proxy.arm({ when: ({ isWrite }) => isWrite, fault: { kind: 'status', code: 429, retryAfterS: 3 } });

      const refused = await send('POST', maps, { metadata: { name: 'a' } });
      await refused.body.text();

      expect([refused.statusCode, refused.headers['retry-after']]).to.deep.equal([429, '3']);
      expect(await create('b')).to.equal(201);
    });

    it('shows lists of the past once, and then the present', async () => {
      await create('old');
      const lists = proxy.recordLists();
      await listed();
      proxy.stopRecording();
      await create('new');

      proxy.playLists(lists);

      expect(await names(listed())).to.deep.equal(['old']);
      expect(await names(listed())).to.have.members(['old', 'new']);
    });

    it('drops, holds and releases the events of a watch', async () => {
      const version = stringAt(await listed(), 'metadata', 'resourceVersion') ?? '';
      proxy.filterWatches(({ object }) => {
        const verdicts: Readonly<Record<string, 'drop' | 'hold'>> = { lost: 'drop', late: 'hold' };
        return verdicts[String(at(object, 'metadata', 'name'))] ?? 'pass';
      });
      const answer = await send('GET', `${maps}?watch=true&resourceVersion=${version}`);
      const seen = watchUntil(answer, 'last');
      for (const name of ['first', 'lost', 'late', 'last']) await create(name);

      const before = await Promise.race([seen, create('other').then(() => 'nothing yet')]);
      proxy.releaseWatches();

      const order = [...(await seen).matchAll(/"name":"(first|lost|late|last)"/gu)].map(([, name]) => name);
      expect(before).to.equal('nothing yet');
      expect([...new Set(order)]).to.deep.equal(['first', 'late', 'last']);
    });

    it('tells a watch that its version is gone, or breaks off in the middle of a line', async () => {
      for (const verdict of ['gone', 'half'] as const) {
        const version = stringAt(await listed(), 'metadata', 'resourceVersion') ?? '';
        const remove = proxy.filterWatches(() => verdict);
        const answer = await send('GET', `${maps}?watch=true&resourceVersion=${version}`);
        const text = answer.body.text().catch(() => 'broken');
        await create(`cause-${verdict}`);

        expect(await text).to.contain(verdict === 'gone' ? '"code":410' : 'broken');
        remove();
      }
    });

    it('lets nothing through while the network is parted, and everything afterwards', async () => {
      proxy.part();
      const pending = create('a');
      const meanwhile = await stored();
      proxy.heal();

      expect([meanwhile, await pending]).to.deep.equal([[], 201]);
    });

    it('cuts the watches that are open', async () => {
      const answer = await send('GET', `${maps}?watch=true&timeoutSeconds=60`);
      const text = answer.body.text().catch(() => 'broken');

      expect([proxy.cutWatches() > 0, await text]).to.deep.equal([true, 'broken']);
    });
  });
}
