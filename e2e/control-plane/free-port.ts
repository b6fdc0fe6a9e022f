import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below every system's range for outgoing connections, which otherwise could take a port while its server restarts. */
const LOWEST_PORT = 20_000;
const END_OF_PORTS = 32_000;
const TRIES = 50;

/**
 * Finds a port of 127.0.0.1 that nobody listens on at this moment. Another process may take it before the caller does;
 * picking at random makes that unlikely, and who starts a server has to try again.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST_PORT, END_OF_PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `no free port of 127.0.0.1 found between ${LOWEST_PORT} and ${END_OF_PORTS} in ${TRIES} tries`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
