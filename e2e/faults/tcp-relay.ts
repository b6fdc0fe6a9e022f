/** A connection between two programs that can be made to hang, without a byte of TLS being touched. */
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';

export interface TcpRelay {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** From now on nothing gets through, in either direction, and nobody is told: as with a broken network. */
  cut(): void;
  /** Ends what hung, as a network does that has forgotten its connections, and lets new ones through. */
  heal(): void;
  close(): Promise<void>;
}

/** Relays connections to a port on loopback. */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    if (isCut) return void client.pause();
    const target = track(connect(targetPort, '127.0.0.1'));
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on('data', (chunk) => {
        // What was under way when the network broke is lost.
        if (!isCut && !to.destroyed) to.write(chunk);
      });
      from.once('close', () => {
        if (!isCut) to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const destroyAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: address.port,
    cut: () => {
      isCut = true;
    },
    heal: () => {
      isCut = false;
      destroyAll();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      destroyAll();
      await closed;
    },
  };
}
