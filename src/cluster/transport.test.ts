import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../controller/testing/fake-clock.ts';
import { ClusterError } from '../model/cluster-error.ts';
import type { ConnectOptions } from './testing/connect.ts';
import { connect } from './testing/connect.ts';
import type { Reply } from './testing/fake-api-server.ts';
import { FakeApiServer, hang, json, refusal, reset, text } from './testing/fake-api-server.ts';
import { selfSignedCertificate } from './testing/self-signed.ts';
import { until, untilSleeping } from './testing/until.ts';
import type { ApiRequest, Exchange, Transport, WriteFence } from './transport.ts';
import { createTransport } from './transport.ts';

const OK = json({ ok: true });
const BUSY = refusal(503, 'ServiceUnavailable', 'not ready');

interface StartedWrite {
  readonly caller: AbortController;
  /** Told to the fence. */
  readonly landed: readonly Promise<void>[];
  readonly failure: Promise<unknown>;
}

describe('the transport', () => {
  let server: FakeApiServer;
  let clock: FakeClock;
  let transport: Transport;
  const open = (options: Partial<ConnectOptions> = {}): Transport => {
    transport = connect({ url: server.url, clock, ...options });
    return transport;
  };

  /** The answers of all requests from now on, to be given by the test. */
  const holdAnswers = (): readonly ServerResponse[] => {
    const answering: ServerResponse[] = [];
    server.always((response) => void answering.push(response));
    return answering;
  };
  /** A write under a fence that closes in that time; whoever gives up is the caller. */
  const beginWrite = (remainingMs: number): StartedWrite => {
    const [caller, landed] = [new AbortController(), [] as Promise<void>[]];
    const write = { ...get(), fence: fence(() => remainingMs, landed), signal: caller.signal };
    return { caller, landed, failure: failureOf(transport.request(write)) };
  };

  beforeEach(async () => {
    server = new FakeApiServer();
    await server.start();
    clock = new FakeClock();
    transport = open();
  });

  afterEach(async () => {
    await server.close();
    await transport.close();
  });

  it('sends the object as it is and says who it is', async () => {
    server.always(OK);
    const object = { apiVersion: 'v1', unknownField: { from: 1, default: null }, kind: 'X' };

    await transport.request({
      ...get(),
      method: 'PATCH',
      query: { fieldManager: 'a b' },
      body: { contentType: 'application/apply-patch+yaml', json: object },
    });

    const [request] = server.requests;
    expect(request?.body).to.equal('{"apiVersion":"v1","unknownField":{"from":1,"default":null},"kind":"X"}');
    expect(request?.query).to.deep.equal({ fieldManager: 'a b' });
    expect(request?.headers).to.include({
      'content-type': 'application/apply-patch+yaml',
      'user-agent': 'istio-operator/test',
      authorization: 'Bearer token',
    });
  });

  it('asks for JSON, and neither for parameters nor with a body, unless told to', async () => {
    server.always(OK);

    await transport.request(get());
    await transport.request({ ...get(), accept: 'application/json;as=Table' });

    const [request, other] = server.requests;
    expect([request?.path, request?.query, request?.body]).to.deep.equal(['/api/v1/things', {}, '']);
    expect(request?.headers.accept).to.equal('application/json');
    expect(request?.headers).not.to.have.property('content-type');
    expect(other?.headers.accept).to.equal('application/json;as=Table');
  });

  it('says which call failed, on which object', async () => {
    const ref = { apiVersion: 'v1', kind: 'Thing', name: 'a' };
    server.always(text(200, 'hello'));

    const failures = [
      await failureOf(transport.request({ ...get(), retry: false, ref })),
      await failureOf(transport.request({ ...get(), retry: false })),
    ];

    expect(failures.map((failure) => (failure as ClusterError).ref)).to.deep.equal([ref, undefined]);
    expect(failures[0]).to.include({ verb: 'get', message: 'the answer is not JSON', kind: 'unavailable' });
  });

  it('takes no other JSON than an object, and no redirection, for an answer', async () => {
    server.inTurn(text(200, '[1]'), text(300, '{}'));

    const failures = [
      await failureOf(transport.request({ ...get(), retry: false })),
      await failureOf(transport.request({ ...get(), retry: false })),
    ];

    expect(failures.map((failure) => (failure as ClusterError).httpStatus)).to.deep.equal([undefined, 300]);
  });

  it('says why the credentials cannot be read, in one line, and tries again', async () => {
    const causes: unknown[] = [new Error('no such file\nat secret'), 'odd'];
    const broken = createTransport({
      credentials: {
        server: server.url,
        proxyUrl: undefined,
        namespace: undefined,
        access: async () => Promise.reject(causes.shift()),
        invalidate: () => undefined,
      },
      clock,
      random: () => 0,
      userAgent: 'test',
    });
    const ref = { apiVersion: 'v1', kind: 'Thing', name: 'a' };

    const failures = [
      await failureOf(broken.request({ ...get(), retry: false, ref })),
      await failureOf(broken.request({ ...get(), retry: false, ref })),
    ];
    await broken.close();

    expect(failures.map((failure) => (failure as ClusterError).message)).to.deep.equal([
      'the credentials for the API server cannot be read: no such file',
      'the credentials for the API server cannot be read: unknown',
    ]);
    expect(failures[0]).to.deep.include({ kind: 'unavailable', verb: 'get', ref });
    expect(server.requests).to.have.length(0);
  });

  it('earns retries back by calls that succeed', async () => {
    const answerOf = async (): Promise<unknown> => {
      const failure = failureOf(transport.request(get()));
      const ended = new AbortController();
      void failure.then(() => ended.abort());
      while (!ended.signal.aborted) {
        await until('the call sleeps or ends', () => ended.signal.aborted || clock.sleeping === 2);
        await clock.advance(1_000);
      }
      return failure;
    };
    server.always(BUSY);
    for (let call = 0; call < 3; call += 1) await answerOf();
    server.always(OK);
    for (let call = 0; call < 20; call += 1) await transport.request(get());
    server.inTurn(BUSY, OK);

    expect(await answerOf())
      .to.be.instanceOf(Error)
      .with.property('message', 'it did not fail');
  });

  it('pays for no retry with what the server refused', async () => {
    server.always(refusal(404, 'NotFound', 'x "y" not found'));
    for (let call = 0; call < 20; call += 1) await failureOf(transport.request(get()));
    server.inTurn(BUSY, OK);

    const answer = transport.request(get());
    await untilSleeping(clock, 2);
    await clock.advance(100);

    expect(await answer).to.deep.equal({ ok: true });
  });

  it('closes its connections when it is closed', async () => {
    server.always(OK);
    await transport.request(get());
    const before = server.openConnections;

    await transport.close();
    await until('no connection is open', () => server.openConnections === 0);

    expect(before).to.equal(1);
    open();
  });

  it('puts the path of the server before its own', async () => {
    server.always(OK);
    const behindProxy = connect({ url: `${server.url}/k8s/clusters/c-1`, clock });

    await behindProxy.request(get());

    expect(server.requests[0]?.path).to.equal('/k8s/clusters/c-1/api/v1/things');
    await behindProxy.close();
  });

  for (const [what, fault] of [
    ['503', BUSY],
    ['429', refusal(429, 'TooManyRequests', 'later')],
    ['500 without a reason of ours', refusal(500, 'InternalError', 'etcdserver: leader changed')],
    ['a cut connection', reset],
    ['an answer that is not JSON', text(200, 'hello')],
    ['half an answer', halfAnswer()],
  ] as const) {
    it(`tries again after ${what}`, async () => {
      server.inTurn(fault, OK);

      const answer = transport.request(get());
      await untilSleeping(clock, 2);
      await clock.advance(100);

      expect(await answer).to.deep.equal({ ok: true });
    });
  }

  it('waits as long as the server says', async () => {
    server.inTurn(refusal(429, 'TooManyRequests', 'later', { headers: { 'retry-after': '3' } }), OK);

    const answer = transport.request(get());
    await untilSleeping(clock, 2);
    await clock.advance(3_000);
    const early = server.requests.length;
    await clock.advance(100);
    await answer;

    expect([early, server.requests.length]).to.deep.equal([1, 2]);
  });

  it('gives up after four tries with the last error', async () => {
    server.always(BUSY);

    const failure = failureOf(transport.request(get()));
    for (const waitMs of [100, 200, 400]) {
      await untilSleeping(clock, 2);
      await clock.advance(waitMs);
    }

    expect(await failure).to.include({ kind: 'unavailable', httpStatus: 503, message: 'not ready' });
    expect(server.requests).to.have.length(4);
  });

  it('hands a long Retry-After to the caller instead of waiting past the deadline', async () => {
    server.always(refusal(429, 'TooManyRequests', 'later', { headers: { 'retry-after': '60' } }));

    expect(await failureOf(transport.request(get()))).to.include({
      kind: 'unavailable',
      retryAfterMs: 60_000,
    });
    expect(server.requests).to.have.length(1);
  });

  it('stops repeating calls when most of them fail', async () => {
    server.always(BUSY);
    const failAll = async (): Promise<number> => {
      const before = server.requests.length;
      const failure = failureOf(transport.request(get()));
      const ended = new AbortController();
      void failure.then(() => ended.abort());
      while (!ended.signal.aborted) {
        await until('the call sleeps or ends', () => ended.signal.aborted || clock.sleeping === 2);
        await clock.advance(1_000);
      }
      return server.requests.length - before;
    };

    const tries = [await failAll(), await failAll(), await failAll()];

    expect(tries).to.deep.equal([4, 2, 1]);
  });

  for (const [what, code, reason, message] of [
    ['a conflict', 409, 'Conflict', 'the object has been modified'],
    ['forbidden', 403, 'Forbidden', 'User "x" cannot get resource "y"'],
    [
      'a field of a wrong type, which comes as 500',
      500,
      '',
      'failed to create typed patch object (/d): .spec.valu',
    ],
    [
      'an unreachable webhook, which comes as 500',
      500,
      'InternalError',
      'failed calling webhook "x": no endpoints',
    ],
  ] as const) {
    it(`does not repeat what failed with ${what}`, async () => {
      server.always(refusal(code, reason, message));

      const failure = await failureOf(transport.request(get()));

      expect(failure).to.be.instanceOf(ClusterError);
      expect(server.requests).to.have.length(1);
    });
  }

  it('reads the credentials again once after 401', async () => {
    await transport.close();
    open({ tokens: ['old', 'new'] });
    server.always((response, request) => {
      const reply =
        request.headers.authorization === 'Bearer new' ? OK : refusal(401, 'Unauthorized', 'Unauthorized');
      reply(response, request);
    });

    expect(await transport.request(get())).to.deep.equal({ ok: true });
    expect(server.requests).to.have.length(2);
  });

  it('reports forbidden when the new credentials are refused too', async () => {
    server.always(refusal(401, 'Unauthorized', 'Unauthorized'));

    expect(await failureOf(transport.request(get()))).to.include({ kind: 'forbidden', httpStatus: 401 });
    expect(server.requests).to.have.length(2);
  });

  for (const [what, reply] of [
    ['never answers', hang],
    ['stops in the middle of the body', slowBody()],
  ] as const) {
    it(`ends a call at its deadline when the server ${what}`, async () => {
      server.always(reply);

      const failure = failureOf(transport.request(get()));
      await until('the request arrived', () => server.requests.length === 1);
      await clock.advance(10_000);

      expect(await failure).to.include({
        kind: 'unavailable',
        message: 'no answer from the API server within 10 s',
      });
    });
  }

  it('ends a call when its caller gives up', async () => {
    server.always(hang);
    const caller = new AbortController();

    const failure = failureOf(transport.request({ ...get(), signal: caller.signal }));
    await until('the request arrived', () => server.requests.length === 1);
    caller.abort();

    expect(await failure).to.include({ kind: 'cancelled' });
    expect(clock.sleeping).to.equal(0);
  });

  for (const [what, status] of [
    ['an answer', 200],
    ['a refusal', 503],
    ['the refusal of a token', 401],
  ] as const) {
    it(`ends a call when its caller gives up in the middle of ${what}`, async () => {
      server.always((response) => {
        response.writeHead(status, { 'content-length': '1000' });
        response.write('{');
      });
      const caller = new AbortController();

      const failure = failureOf(transport.request({ ...get(), signal: caller.signal }));
      await until('the request arrived', () => server.requests.length === 1);
      await turns();
      caller.abort();

      expect(await failure).to.include({ kind: 'cancelled' });
      await turns();
    });

    it(`bears that the connection is cut in the middle of ${what}`, async () => {
      server.always((response) => {
        response.writeHead(status, { 'content-length': '1000' });
        response.write('{', () => void setImmediate().then(() => response.socket?.destroy()));
      });

      const failure = await failureOf(transport.request({ ...get(), retry: false }));
      await turns();

      expect(failure).to.include({ kind: 'unavailable' });
    });
  }

  it('reads the credentials again also when the refusal is longer than anybody wants to read', async () => {
    await transport.close();
    open({ tokens: ['old', 'new'] });
    server.inTurn(text(401, 'x'.repeat(300_000)), OK);

    expect(await transport.request(get())).to.deep.equal({ ok: true });
    await turns();
  });

  it('sends nothing when its caller gave up before', async () => {
    const failure = await failureOf(transport.request({ ...get(), signal: AbortSignal.abort() }));

    expect(failure).to.include({ kind: 'cancelled' });
    expect(server.requests).to.have.length(0);
  });

  it('says in plain words that nobody listens', async () => {
    await server.close();

    const failure = await failureOf(transport.request({ ...get(), retry: false }));

    expect(failure).to.include({ kind: 'unavailable' });
    expect((failure as ClusterError).message).to.match(
      /^no answer from the API server 127.0.0.1:\d+: the connection was refused$/,
    );
  });

  it('writes nothing more once the fence is closed, also between two tries', async () => {
    server.always(BUSY);
    let remainingMs = 5_000;

    const failure = failureOf(transport.request({ ...get(), fence: fence(() => remainingMs) }));
    await untilSleeping(clock, 2);
    remainingMs = 0;
    await clock.advance(100);

    expect(await failure).to.include({ kind: 'cancelled' });
    expect(server.requests).to.have.length(1);
  });

  it('writes nothing that has waited for a connection until the fence was closed', async () => {
    server.always(hang);
    let remainingMs = 60_000;
    const busy = [0, 1, 2].map(async () => failureOf(transport.request({ ...get(), timeoutMs: 1_000 })));
    await until('all connections are taken', () => server.requests.length === 3);

    const waiting = failureOf(transport.request({ ...get(), fence: fence(() => remainingMs) }));
    await untilSleeping(clock, 5);
    remainingMs = 0;
    await clock.advance(1_000);
    await Promise.all(busy);

    expect(await waiting).to.include({ kind: 'cancelled', message: 'this replica does not hold the lease' });
    expect(server.requests).to.have.length(3);
  });

  it('gives the answer to a write within the fence', async () => {
    server.inTurn(OK, refusal(409, 'Conflict', 'changed'));
    const write = { ...get(), fence: fence(() => 5_000) };

    expect(await transport.request(write)).to.deep.equal({ ok: true });
    expect(await failureOf(transport.request(write))).to.include({ kind: 'conflict', message: 'changed' });
  });

  it('ends a write when the fence will close', async () => {
    server.always(hang);

    const failure = failureOf(transport.request({ ...get(), fence: fence(() => 1_500) }));
    await until('the request arrived', () => server.requests.length === 1);
    await clock.advance(1_500);

    expect(await failure).to.include({ kind: 'unavailable' });
  });

  it('lets the caller of a write go at once, and follows the write until it is answered', async () => {
    const answering = holdAnswers();
    const { caller, landed, failure } = beginWrite(5_000);
    await until('the request arrived', () => answering.length === 1);

    caller.abort();

    expect(await failure).to.include({ kind: 'cancelled' });
    await turns();
    expect([answering[0]?.socket?.destroyed, await isSettled(landed[0])]).to.deep.equal([false, false]);
    answering[0]?.end('{}');
    await landed[0];
    expect(landed).to.have.length(1);
    await until('nobody waits', () => clock.sleeping === 0);
  });

  it('uses the connection again of a write that nobody waited for', async () => {
    const answering = holdAnswers();
    const { caller, landed, failure } = beginWrite(5_000);
    await until('the request arrived', () => answering.length === 1);
    caller.abort();
    await failure;
    answering[0]?.end(JSON.stringify({ long: 'x'.repeat(100_000) }));
    await landed[0];
    await turns();

    server.always(OK);
    await transport.request(get());

    expect(server.connectionCount).to.equal(1);
  });

  it('follows a write no longer than it was given, whoever gave up before', async () => {
    server.always(hang);
    const { caller, landed, failure } = beginWrite(1_500);
    await until('the request arrived', () => server.requests.length === 1);
    caller.abort();
    await failure;

    await clock.advance(1_499);
    expect(await isSettled(landed[0])).to.equal(false);
    await clock.advance(1);

    await landed[0];
  });

  it('lets the caller of a write go that waits for a connection, and never sends it', async () => {
    const answering = holdAnswers();
    const busy = [0, 1, 2].map(async () => transport.request(get()));
    await until('all connections are taken', () => answering.length === 3);
    const { caller, landed, failure } = beginWrite(5_000);
    await untilSleeping(clock, 5);

    caller.abort();

    expect(await failure).to.include({ kind: 'cancelled' });
    for (const response of answering) response.end('{}');
    await Promise.all([...busy, landed[0]]);
    expect(server.requests).to.have.length(3);
  });

  it('ends the reading of the answer to a write when its caller gives up', async () => {
    server.always((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{');
    });
    const { caller, landed, failure } = beginWrite(5_000);
    await until('the request was sent', () => landed.length === 1);
    await landed[0];
    await turns();

    caller.abort();

    expect(await failure).to.include({ kind: 'cancelled' });
  });

  it('counts every exchange', async () => {
    await transport.close();
    const exchanges: Exchange[] = [];
    open({ onExchange: (exchange) => exchanges.push(exchange) });
    server.inTurn(OK, refusal(404, 'NotFound', 'x "y" not found'));

    await transport.request(get());
    await failureOf(transport.request(get()));
    await server.close();
    await failureOf(transport.request({ ...get(), retry: false }));

    const host = new URL(exchanges[0] === undefined ? 'http://none' : `http://${exchanges[0].host}`).hostname;
    expect(host).to.equal('127.0.0.1');
    expect(exchanges.map(({ code, method }) => `${method} ${code}`)).to.deep.equal([
      'GET 200',
      'GET 404',
      'GET <error>',
    ]);
  });

  describe('streams', () => {
    it('gives text as it comes, whole characters only', async () => {
      const snow = Buffer.from('☃');
      server.always((response) => {
        response.writeHead(200);
        response.write(snow.subarray(0, 1));
        void setImmediate().then(() => response.end(snow.subarray(1)));
      });

      const chunks: string[] = [];
      for await (const chunk of await transport.stream(get())) chunks.push(chunk);

      expect(chunks.join('')).to.equal('☃');
    });

    it('fails to open with the reason of the server, without another try', async () => {
      server.always(refusal(410, 'Expired', 'too old resource version: 1 (5)'));

      expect(await failureOf(transport.stream(get()))).to.include({ httpStatus: 410 });
      expect(server.requests).to.have.length(1);
    });

    it('has no deadline once it is open', async () => {
      const replies: (() => void)[] = [];
      server.always((response) => {
        response.writeHead(200);
        response.flushHeaders();
        replies.push(() => response.end('late'));
      });

      const stream = await transport.stream(get());
      await clock.advance(600_000);
      replies[0]?.();
      const chunks: string[] = [];
      for await (const chunk of stream) chunks.push(chunk);

      expect(chunks).to.deep.equal(['late']);
    });

    it('fails when the connection is cut', async () => {
      server.always((response) => {
        response.writeHead(200);
        response.write('first');
      });
      const stream = await transport.stream(get());

      const failure = failureOf(drain(stream, () => server.cut()));

      expect(await failure).to.include({ kind: 'unavailable' });
    });

    it('ends when its caller gives up, and frees the connection', async () => {
      server.always((response) => {
        response.writeHead(200);
        response.write('first');
      });
      const caller = new AbortController();
      const stream = await transport.stream({ ...get(), lane: 'stream', signal: caller.signal });

      const failure = failureOf(drain(stream, () => caller.abort()));

      expect(await failure).to.include({ kind: 'cancelled' });
      await until('the connection is closed', () => server.openConnections === 0);
    });

    // An error that a body tells nobody ends the whole process; here mocha makes it a failure of the test.
    for (const [what, reply] of [
      ['open', openStream('')],
      ['open and has brought something', openStream('first')],
      ['at its end at once', text(200, '')],
      ['at its end', text(200, 'first')],
    ] as const) {
      it(`may be given up before anybody reads it, when it is ${what}`, async () => {
        server.always(reply);
        const caller = new AbortController();
        const stream = await transport.stream({ ...get(), lane: 'stream', signal: caller.signal });
        await turns();

        caller.abort();
        const failure = await failureOf(drain(stream));
        await turns();

        expect(failure).to.include({ kind: 'cancelled' });
      });

      it(`may be given up and never be read, when it is ${what}`, async () => {
        server.always(reply);
        const caller = new AbortController();
        await transport.stream({ ...get(), lane: 'stream', signal: caller.signal });
        await turns();

        caller.abort();
        await turns();

        await transport.close();
      });

      it(`may be given up in the moment in which it opens, when it is ${what}`, async () => {
        server.always(reply);
        const caller = new AbortController();

        const failure = await transport
          .stream({ ...get(), lane: 'stream', signal: caller.signal })
          .then(async (stream) => {
            caller.abort();
            return failureOf(drain(stream));
          });
        await turns();

        expect(failure).to.include({ kind: 'cancelled' });
      });
    }

    it('may be cut before anybody reads them', async () => {
      server.always(openStream('first'));
      const stream = await transport.stream({ ...get(), lane: 'stream' });

      server.cut();
      await until('the connection is closed', () => server.openConnections === 0);
      await turns();

      expect(await failureOf(drain(stream))).to.include({ kind: 'unavailable' });
    });

    it('may be left in the middle', async () => {
      server.always(openStream('first'));

      for await (const chunk of await transport.stream({ ...get(), lane: 'stream' })) {
        expect(chunk).to.equal('first');
        break;
      }
      await turns();

      await until('the connection is closed', () => server.openConnections === 0);
    });
  });
});

describe('connections over TLS', () => {
  it('are few for many calls, and watches do not take those of calls', async () => {
    const certificate = selfSignedCertificate();
    const server = new FakeApiServer(certificate);
    await server.start();
    const clock = new FakeClock();
    const transport = connect({ url: server.url, clock, ca: certificate.cert });
    server.always((response, request) => {
      if (!request.isWatch) return OK(response, request);
      response.writeHead(200);
      response.flushHeaders();
    });
    const end = new AbortController();
    const watch = { ...get(), query: { watch: 'true' }, lane: 'stream', signal: end.signal } as const;

    const watches = await Promise.all(Array.from({ length: 12 }, () => transport.stream(watch)));
    await Promise.all(Array.from({ length: 200 }, () => transport.request(get())));
    await transport.request({ ...get(), lane: 'urgent' });

    expect(server.requests).to.have.length(213);
    expect(server.connectionCount).to.be.at.most(12 + 4);
    end.abort();
    await Promise.all(watches.map((stream) => failureOf(drain(stream))));
    await transport.close();
    await server.close();
  });

  it('fail with a plain reason when the certificate is not trusted', async () => {
    const server = new FakeApiServer(selfSignedCertificate());
    await server.start();
    const transport = connect({ url: server.url, clock: new FakeClock(), ca: selfSignedCertificate().cert });

    const failure = await failureOf(transport.request({ ...get(), retry: false }));

    expect((failure as ClusterError).message).to.contain(
      'its certificate is not signed by the configured authority',
    );
    await transport.close();
    await server.close();
  });
});

function get(): ApiRequest {
  return { method: 'GET', path: '/api/v1/things', verb: 'get', signal: new AbortController().signal };
}

/** Open for as long as it says; what was told to it is in `landed`. */
function fence(remainingMs: () => number, landed: Promise<void>[] = []): WriteFence {
  return { remainingMs, sent: (write) => void landed.push(write) };
}

async function isSettled(work: Promise<void> | undefined): Promise<boolean> {
  return Promise.race([(work ?? Promise.resolve()).then(() => true), setImmediate(false)]);
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

async function drain(
  stream: AsyncIterable<string>,
  onChunk: (chunk: string) => void = () => undefined,
): Promise<void> {
  for await (const chunk of stream) onChunk(chunk);
}

/** Lets happen what an error that nobody caught takes to come up. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

function openStream(first: string): Reply {
  return (response) => {
    response.writeHead(200);
    response.flushHeaders();
    if (first !== '') response.write(first);
  };
}

function halfAnswer(): Reply {
  return (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"ok":');
    void setImmediate().then(() => response.socket?.destroy());
  };
}

function slowBody(): Reply {
  return (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"ok":');
  };
}
