import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectSocket } from 'node:net';
import { expect } from 'chai';
import { Connections } from './connections.ts';
import { FakeApiServer, json } from './testing/fake-api-server.ts';
import { selfSignedCertificate } from './testing/self-signed.ts';

interface Proxy {
  readonly url: string;
  /** Where it was asked to connect to. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

async function startProxy(): Promise<Proxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request, client: Socket) => {
    targets.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    const upstream = connectSocket(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

describe('Connections', () => {
  it('go through the proxy of the kubeconfig, encrypted up to the server', async () => {
    const certificate = selfSignedCertificate();
    const server = new FakeApiServer(certificate);
    await server.start();
    server.always(json({ ok: true }));
    const proxy = await startProxy();
    const connections = new Connections(proxy.url);

    const pool = connections.pool('call', { ca: certificate.cert });
    const answer = await pool.request({ origin: server.url, path: '/version', method: 'GET' });

    expect(await answer.body.json()).to.deep.equal({ ok: true });
    expect(proxy.targets).to.deep.equal([`127.0.0.1:${server.port}`]);
    await connections.close();
    await proxy.close();
    await server.close();
  });

  it('are kept while the TLS material is the same, and made anew when it changes', async () => {
    const connections = new Connections(undefined);
    const tls = { ca: 'a' };

    const [first, again, other] = [
      connections.pool('call', tls),
      connections.pool('call', tls),
      connections.pool('call', { ca: 'b' }),
    ];

    expect(again).to.equal(first);
    expect(other).to.not.equal(first);
    await connections.close();
  });

  it('are other ones for each lane', async () => {
    const connections = new Connections(undefined);
    const tls = {};

    const pools = (['call', 'stream', 'urgent'] as const).map((lane) => connections.pool(lane, tls));

    expect(new Set(pools)).to.have.property('size', 3);
    await connections.close();
  });
});
