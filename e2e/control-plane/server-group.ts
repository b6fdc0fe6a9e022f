/** The running servers of one control plane: started together, ended in order, never left behind. */
import { onProcessEnd } from './exit-guard.ts';
import { createPlaneDirectory, killGroup, recordProcesses, removePlaneDirectory } from './plane-directory.ts';
import type { Program } from './programs.ts';
import { endServer, startServer } from './server-process.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';

/** Clients before what they talk to. */
const END_ORDER: readonly Program[] = [
  'kwok',
  'kube-scheduler',
  'kube-controller-manager',
  'kube-apiserver',
  'etcd',
];

/** How long a server that is restarted may take to end by itself, in milliseconds. */
const GRACE_MS = 10_000;

/** A server that ended although nobody asked it to; the message holds the last lines of its log. */
export class ServerEndedError extends Error {
  override readonly name = 'ServerEndedError';
}

export class ServerGroup {
  readonly directory: string;
  readonly #servers = new Map<Program, ServerProcess>();
  readonly #ending = new Set<ServerProcess>();
  readonly #unexpectedEnd = Promise.withResolvers<ServerEndedError>();
  readonly #withdrawGuard: () => void;

  constructor(root: string) {
    this.directory = createPlaneDirectory(root);
    this.#withdrawGuard = onProcessEnd(() => {
      this.#killAll();
      removePlaneDirectory(this.directory);
    });
  }

  /** Resolves with the first server's end that nobody asked for; never rejects. */
  get unexpectedEnd(): Promise<ServerEndedError> {
    return this.#unexpectedEnd.promise;
  }

  async start(command: ServerCommand): Promise<void> {
    const server = await startServer(command, this.directory);
    this.#servers.set(command.program, server);
    this.#record();
    void server.ended.then(() => {
      if (!this.#ending.has(server)) this.#unexpectedEnd.resolve(new ServerEndedError(describeEnd(server)));
    });
  }

  /** Ends a server by a signal and starts it again with the same command. */
  async restart(program: Program, signal: NodeJS.Signals): Promise<void> {
    await this.start(await this.end(program, signal));
  }

  /** Ends a server by a signal; gives the command that starts it again. */
  async end(program: Program, signal: NodeJS.Signals): Promise<ServerCommand> {
    const server = this.#servers.get(program);
    if (server === undefined) throw new Error(`${program} was never started`);
    this.#ending.add(server);
    await endServer(server, signal, GRACE_MS);
    return server.command;
  }

  /** Ends all servers at once and by force, clients first, and resolves when none is left. */
  async endAll(): Promise<void> {
    this.#killAll();
    await Promise.all([...this.#servers.values()].map((server) => server.ended));
  }

  /** The process of each server that was started. */
  pids(): Readonly<Partial<Record<Program, number>>> {
    return Object.fromEntries([...this.#servers].map(([program, { identity }]) => [program, identity.pid]));
  }

  lastLines(program: Program): string {
    return this.#servers.get(program)?.lastLines() ?? '';
  }

  /**
   * Ends all servers and removes the folder. At once and by force: what they hold is thrown away, and the gentle way
   * takes the API server seconds, because it waits for its clients first.
   */
  async dispose(): Promise<void> {
    await this.endAll();
    removePlaneDirectory(this.directory);
    this.#withdrawGuard();
  }

  #killAll(): void {
    for (const program of END_ORDER) {
      const server = this.#servers.get(program);
      if (server === undefined) continue;
      this.#ending.add(server);
      killGroup(server.identity, 'SIGKILL');
    }
  }

  #record(): void {
    const identities = [...this.#servers.values()].map((server) => server.identity);
    recordProcesses(this.directory, identities);
  }
}

function describeEnd(server: ServerProcess): string {
  return `${server.command.program} ended (${server.end()}). The last lines of its log:\n${server.lastLines()}`;
}
