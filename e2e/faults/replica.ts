/** One of several replicas of the operator, each with a user and a connection of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { OperatorProcess } from '../operator/operator-process.ts';
import type { Account } from './service-accounts.ts';
import { createAccount, makeAdministrator, userNameOf, writeKubeconfig } from './service-accounts.ts';
import type { TcpRelay } from './tcp-relay.ts';
import { startTcpRelay } from './tcp-relay.ts';

/** In milliseconds. */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** For how long each signal blocks the event loop of a replica. */
export const BLOCKS = {
  /** Not long enough to miss the deadline for renewal. */
  SIGUSR2: ({ renewDeadlineMs }) => renewDeadlineMs / 2,
  /** Long enough for another replica to take over. */
  SIGHUP: ({ leaseMs, retryMs }) => leaseMs + Math.max(1_000, 2 * retryMs),
} as const satisfies Partial<Record<NodeJS.Signals, (times: LeaseTimes) => number>>;

/** How wrong the clock of a process is. */
export interface ClockSkew {
  readonly offsetMs: number;
  /** Of the monotonic clock; 1 is right. */
  readonly rate: number;
}

const PATIENCE_MS = 60_000;

export const RIGHT_CLOCK: ClockSkew = { offsetMs: 0, rate: 1 };

interface ReplicaParts {
  readonly relay: TcpRelay;
  readonly kubeconfigPath: string;
  readonly times: LeaseTimes;
  readonly program: string | undefined;
}

export class Replica {
  readonly account: Account;
  readonly relay: TcpRelay;
  readonly #kubeconfigPath: string;
  readonly #times: LeaseTimes;
  readonly #program: string | undefined;
  #process: OperatorProcess | undefined;
  #slowestStartMs = 0;

  /** `program` is the file that it runs; the present sources when it is absent. */
  static async create(
    plane: ControlPlane,
    account: Account,
    times: LeaseTimes,
    program?: string,
  ): Promise<Replica> {
    await createAccount(plane, account);
    await makeAdministrator(plane, account);
    const relay = await startTcpRelay(Number(new URL(plane.server).port));
    const kubeconfigPath = await writeKubeconfig(plane, account, `https://127.0.0.1:${relay.port}`);
    return new Replica(account, { relay, kubeconfigPath, times, program });
  }

  private constructor(account: Account, { relay, kubeconfigPath, times, program }: ReplicaParts) {
    this.account = account;
    this.relay = relay;
    this.#kubeconfigPath = kubeconfigPath;
    this.#times = times;
    this.#program = program;
  }

  get user(): string {
    return userNameOf(this.account);
  }

  get process(): OperatorProcess {
    if (this.#process === undefined) throw new Error(`${this.account.name} was never started`);
    return this.#process;
  }

  /** Starts a process and resolves when it is ready to lead. */
  async start(skew: ClockSkew = RIGHT_CLOCK): Promise<void> {
    const times = this.#times;
    const clock = moduleUrl('skewed-clock.ts', { offsetMs: skew.offsetMs, rate: skew.rate });
    const loop = moduleUrl('blocked-loop.ts', {
      SIGUSR2: BLOCKS.SIGUSR2(times),
      SIGHUP: BLOCKS.SIGHUP(times),
    });
    this.#process = await OperatorProcess.start({
      kubeconfigPath: this.#kubeconfigPath,
      ...(this.#program === undefined ? {} : { program: this.#program }),
      nodeFlags: [`--import=${clock}`, `--import=${loop}`],
      flags: [
        `--operator-namespace=${this.account.namespace}`,
        `--pod-name=${this.account.name}`,
        `--leader-elect-lease-duration=${times.leaseMs}ms`,
        `--leader-elect-renew-deadline=${times.renewDeadlineMs}ms`,
        `--leader-elect-retry-period=${times.retryMs}ms`,
      ],
    });
    const started = this.#process;
    const startedMs = performance.now();
    await started.untilReady().catch((error: unknown) => {
      throw new Error(`${this.account.name} is not ready:\n${started.output}`, { cause: error });
    });
    this.#slowestStartMs = Math.max(this.#slowestStartMs, performance.now() - startedMs);
  }

  /** From a start until it was ready, at worst. Tells how busy the machine is. */
  get slowestStartMs(): number {
    return this.#slowestStartMs;
  }

  /** How often it has stopped leading so far without ending. */
  get losses(): number {
    return this.process.log.filter((line) => stringAt(line, 'message') === 'not leading any more').length;
  }

  async stop(): Promise<void> {
    this.relay.heal();
    if (this.#process !== undefined) {
      this.#process.signal('SIGCONT');
      await this.#process.end('SIGTERM');
    }
    await this.relay.close();
  }
}

function moduleUrl(file: string, query: Readonly<Record<string, number>>): string {
  const url = new URL(file, import.meta.url);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url.href;
}

/** The lease of the replicas of a namespace, as an administrator sees and changes it. */
export class LeaseInHand {
  readonly #plane: ControlPlane;
  readonly #path: string;

  constructor(plane: ControlPlane, namespace: string) {
    this.#plane = plane;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/istio-operator-lock`;
  }

  /** The name of the replica that holds it; empty when it is free. */
  async holder(): Promise<string> {
    const { body } = await this.#plane.api.request('GET', this.#path);
    return (stringAt(body, 'spec', 'holderIdentity') ?? '').replace(/_.*$/, '');
  }

  /** Resolves to the one of the replicas that holds it, once one does. */
  async untilHeldBy(replicas: readonly Replica[]): Promise<Replica> {
    const startedMs = performance.now();
    for (;;) {
      const holder = await this.holder();
      const found = replicas.find(({ account }) => account.name === holder);
      if (found !== undefined) return found;
      if (performance.now() - startedMs > PATIENCE_MS)
        throw new Error(`none of ${replicas.map(({ account }) => account.name).join(', ')} took the lead`);
      await delay(10);
    }
  }

  async delete(): Promise<void> {
    await this.#plane.api.request('DELETE', this.#path);
  }

  async giveTo(holderIdentity: string): Promise<void> {
    const body = { spec: { holderIdentity } };
    const { status } = await this.#plane.api.request(
      'PATCH',
      this.#path,
      body,
      'application/merge-patch+json',
    );
    if (status !== 200) throw new Error(`the lease was not changed: ${status}`);
  }
}
