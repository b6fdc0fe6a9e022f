import { request } from 'node:http';
import { expect } from 'chai';
import type { LogFields, Logger } from '../model/logger.ts';
import type { HttpServer, HttpServerSettings } from './server.ts';
import { startHttpServer } from './server.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | readonly string[]>;
  readonly body: string;
}

describe('the HTTP server', () => {
  let servers: HttpServer[];
  let logged: (LogFields | undefined)[];

  const start = async (settings: Partial<HttpServerSettings> = {}): Promise<HttpServer> => {
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_message, fields) => logged.push(fields),
    };
    const server = await startHttpServer({ host: '127.0.0.1', port: 0, logger, ...settings });
    servers.push(server);
    return server;
  };

  beforeEach(() => {
    servers = [];
    logged = [];
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });

  it('is healthy when every check is', async () => {
    const { port } = await start({ liveness: [{ name: 'loop', problem: () => undefined }] });

    const answer = await ask(port, '/healthz');

    expect([answer.status, answer.body]).to.deep.equal([200, '[+]loop ok\nhealthz check passed\n']);
  });

  it('names the check that fails', async () => {
    const readiness = [
      { name: 'lease', problem: () => undefined },
      { name: 'watches', problem: () => 'not synced' },
    ];
    const { port } = await start({ readiness });

    const answer = await ask(port, '/readyz?verbose=1');

    expect(answer.status).to.equal(503);
    expect(answer.body).to.equal('[+]lease ok\n[-]watches failed: not synced\nreadyz check failed\n');
  });

  it('serves metrics in their own format', async () => {
    const metrics = () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' });
    const { port } = await start({ metrics });

    const answer = await ask(port, '/metrics');

    expect([answer.status, answer.body, answer.headers['content-type']]).to.deep.equal([
      200,
      'up 1\n',
      'text/plain; version=0.0.4',
    ]);
  });

  it('answers HEAD like GET but without the body', async () => {
    const { port } = await start({ liveness: [] });

    const answer = await ask(port, '/healthz', 'HEAD');

    expect([answer.status, answer.body, answer.headers['content-length']]).to.deep.equal([200, '', '21']);
  });

  it('knows no other paths, and not those that were not asked for', async () => {
    const { port } = await start({ liveness: [] });

    const answers = await Promise.all(
      ['/', '/metrics', '/readyz', '/debug/pprof'].map((path) => ask(port, path)),
    );

    expect(answers.map(({ status }) => status)).to.deep.equal([404, 404, 404, 404]);
  });

  it('takes no other methods', async () => {
    const { port } = await start({ liveness: [] });

    const answer = await ask(port, '/healthz', 'POST');

    expect([answer.status, answer.headers['allow']]).to.deep.equal([405, 'GET, HEAD']);
  });

  it('hides the reason when a page cannot be made, and logs it', async () => {
    const { port } = await start({ metrics: () => Promise.reject(new Error('CANARY')) });

    const answer = await ask(port, '/metrics');

    expect([answer.status, answer.body]).to.deep.equal([500, 'internal error\n']);
    expect(logged).to.have.length(1);
  });

  it('says when its port is taken', async () => {
    const { port } = await start();

    const failure: unknown = await start({ port }).catch((error: unknown) => error);

    expect(failure).to.be.instanceOf(Error).and.include({ code: 'EADDRINUSE' });
  });

  it('answers what is under way when it closes', async () => {
    let finish: () => void = () => undefined;
    const started = Promise.withResolvers<void>();
    const metrics = () => {
      started.resolve();
      return new Promise<{ contentType: string; text: string }>((resolve) => {
        finish = () => resolve({ contentType: 'text/plain', text: 'last' });
      });
    };
    const server = await start({ metrics });
    const answer = ask(server.port, '/metrics');
    await started.promise;

    const closed = server.close();
    finish();

    expect((await answer).body).to.equal('last');
    await closed;
  });
});

function ask(port: number, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    call.on('error', reject);
    call.end();
  });
}
