import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import { startTcpRelay } from './tcp-relay.ts';
import type { TcpRelay } from './tcp-relay.ts';

describe('startTcpRelay', () => {
  let echo: Server;
  let relay: TcpRelay;
  const received: string[] = [];

  beforeEach(async () => {
    received.length = 0;
    echo = createServer((socket) => {
      socket.on('data', (chunk) => {
        received.push(String(chunk));
        socket.write(chunk);
      });
      socket.on('error', () => undefined);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const address = echo.address();
    relay = await startTcpRelay(typeof address === 'object' ? (address?.port ?? 0) : 0);
  });

  afterEach(async () => {
    await relay.close();
    echo.close();
  });

  async function open(): Promise<Socket> {
    const socket = connect(relay.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  /** A connection that is reset has an error first, and is closed all the same. */
  async function closeOf(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  }

  async function echoed(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return String(chunk);
  }

  it('passes on what either side says', async () => {
    expect(await echoed(await open(), 'hello')).to.equal('hello');
  });

  it('lets nothing through while it is cut, and ends what hung when it heals', async () => {
    const old = await open();
    await echoed(old, 'before');

    relay.cut();
    old.write('lost');
    const during = await open();
    during.write('lost as well');
    const ended = Promise.all([old, during].map(closeOf));
    relay.heal();
    await ended;

    expect(await echoed(await open(), 'after')).to.equal('after');
    expect(received).to.deep.equal(['before', 'after']);
  });
});
