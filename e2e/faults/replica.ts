/** One of several replicas of the operator, each with a user and a connection of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { stringAt } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { OperatorProcess } from '../operator/operator-process.ts';
import type { Account } from './service-accounts.ts';
import { createAccount, makeAdministrator, userNameOf, writeKubeconfig } from './service-accounts.ts';
import type { TcpRelay } from './tcp-relay.ts';
import { startTcpRelay } from './tcp-relay.ts';

/** As flags of `istio-operator run`. */
export interface LeaseTimes {
  readonly duration: string;
  readonly renewDeadline: string;
  readonly retryPeriod: string;
}

/** How wrong the clock of a process is. */
export interface ClockSkew {
  readonly offsetMs: number;
  /** Of the monotonic clock; 1 is right. */
  readonly rate: number;
}

export const RIGHT_CLOCK: ClockSkew = { offsetMs: 0, rate: 1 };

export class Replica {
  readonly account: Account;
  readonly relay: TcpRelay;
  readonly #kubeconfigPath: string;
  readonly #times: LeaseTimes;
  #process: OperatorProcess | undefined;

  static async create(plane: ControlPlane, account: Account, times: LeaseTimes): Promise<Replica> {
    await createAccount(plane, account);
    await makeAdministrator(plane, account);
    const relay = await startTcpRelay(Number(new URL(plane.server).port));
    const kubeconfigPath = await writeKubeconfig(plane, account, `https://127.0.0.1:${relay.port}`);
    return new Replica(account, relay, kubeconfigPath, times);
  }

  private constructor(account: Account, relay: TcpRelay, kubeconfigPath: string, times: LeaseTimes) {
    this.account = account;
    this.relay = relay;
    this.#kubeconfigPath = kubeconfigPath;
    this.#times = times;
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
    const { duration, renewDeadline, retryPeriod } = this.#times;
    const clock = new URL(`skewed-clock.ts?offsetMs=${skew.offsetMs}&rate=${skew.rate}`, import.meta.url);
    this.#process = await OperatorProcess.start({
      kubeconfigPath: this.#kubeconfigPath,
      nodeFlags: [`--import=${clock.href}`],
      flags: [
        `--operator-namespace=${this.account.namespace}`,
        `--pod-name=${this.account.name}`,
        `--leader-elect-lease-duration=${duration}`,
        `--leader-elect-renew-deadline=${renewDeadline}`,
        `--leader-elect-retry-period=${retryPeriod}`,
      ],
    });
    const started = this.#process;
    await started.untilReady().catch((error: unknown) => {
      throw new Error(`${this.account.name} is not ready:\n${started.output}`, { cause: error });
    });
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

const LEASE = 'istio-operator-lock';

/** The name of the replica that holds the lease of a namespace; empty when it is free. */
export async function holderOf(plane: ControlPlane, namespace: string): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${LEASE}`;
  const { body } = await plane.api.request('GET', path);
  return (stringAt(body, 'spec', 'holderIdentity') ?? '').replace(/_.*$/, '');
}

/** Resolves to the milliseconds after which one of the replicas holds the lease. */
export async function untilHeldBy(plane: ControlPlane, replica: Replica): Promise<number> {
  const startedMs = performance.now();
  const { namespace, name } = replica.account;
  while ((await holderOf(plane, namespace)) !== name) {
    if (performance.now() - startedMs > 60_000) throw new Error(`${name} never took the lead`);
    await delay(10);
  }
  return performance.now() - startedMs;
}
