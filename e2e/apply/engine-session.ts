/** The engine on the real API server, over the real transport, run after run as the controller would. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { applyPlan } from '../../src/apply/apply-plan.ts';
import type { ClusterPort } from '../../src/apply/cluster.port.ts';
import { deleteInstallation } from '../../src/apply/delete-installation.ts';
import { createKnownEqual } from '../../src/apply/known-equal.ts';
import { createCluster } from '../../src/cluster/cluster.ts';
import { loadCredentials } from '../../src/cluster/credentials.ts';
import { createDiscovery } from '../../src/cluster/discovery.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import type { Transport } from '../../src/cluster/transport.ts';
import { createTransport } from '../../src/cluster/transport.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { isJsonObject, stringAt } from '../../src/model/json.ts';
import type { Plan } from '../../src/model/plan.ts';
import type { ApplyReport, DeletionReport } from '../../src/model/report.ts';
import type { InventoryEntry } from '../../src/model/status.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { OWNER } from './demo-installation.ts';

const USER_AGENT = 'istio-operator/engine-e2e';
const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export class EngineSession {
  readonly cluster: ClusterPort;
  readonly #transport: Transport;
  readonly #plane: ControlPlane;
  readonly #signal = new AbortController().signal;
  inventory: readonly InventoryEntry[] = [];
  recorded: (readonly InventoryEntry[])[] = [];
  #knownEqual = createKnownEqual();

  static async start(plane: ControlPlane): Promise<EngineSession> {
    const loaded = await loadCredentials({
      env: {},
      clock: systemClock,
      kubeconfig: plane.kubeconfigPath,
      preferPod: false,
    });
    if (loaded.kind === 'unusable') throw new Error(loaded.problem.cause);
    const { credentials } = loaded;
    const transport = createTransport({
      credentials,
      clock: systemClock,
      random: Math.random,
      userAgent: USER_AGENT,
    });
    return new EngineSession(transport, plane);
  }

  private constructor(transport: Transport, plane: ControlPlane) {
    this.#transport = transport;
    this.#plane = plane;
    this.cluster = createCluster({
      transport,
      discovery: createDiscovery({ transport, clock: systemClock }),
    });
  }

  async apply(plan: Plan, readinessTimeoutMs = 60_000): Promise<ApplyReport> {
    const deps = {
      cluster: this.cluster,
      clock: systemClock,
      knownEqual: this.#knownEqual,
      recordInventory: async (entries: readonly InventoryEntry[]) => {
        this.recorded.push(entries);
      },
    };
    const settings = { signal: this.#signal, inventory: this.inventory, readinessTimeoutMs, owner: OWNER };
    const report = await applyPlan(deps, plan, settings);
    this.inventory = report.inventory;
    return report;
  }

  async delete(timeoutMs = 20_000): Promise<DeletionReport> {
    const deps = { cluster: this.cluster, clock: systemClock, recordInventory: async () => {} };
    const settings = { signal: this.#signal, inventory: this.inventory, timeoutMs, owner: OWNER };
    return deleteInstallation(deps, settings);
  }

  /** As a new process: everything that is only in memory is gone. */
  restart(): void {
    this.#knownEqual = createKnownEqual();
    this.recorded = [];
  }

  /** What the API server has been asked to write by the engine so far, dry runs included, from its audit log. */
  async writes(): Promise<readonly string[]> {
    const lines = (await this.#completeLog()).trim().split('\n');
    return lines
      .map((line): unknown => JSON.parse(line))
      .filter((event): event is JsonObject => isJsonObject(event) && event['userAgent'] === USER_AGENT)
      .filter((event) => WRITES.has(stringAt(event, 'verb') ?? ''))
      .map((event) => `${stringAt(event, 'verb') ?? ''} ${stringAt(event, 'requestURI') ?? ''}`);
  }

  /** The log lags behind the answers, so it is complete once a later call is in it. */
  async #completeLog(): Promise<string> {
    const { api, auditLogPath } = this.#plane;
    if (auditLogPath === undefined) throw new Error('the control plane keeps no audit log');
    const mark = `engine-e2e-${randomUUID()}`;
    await api.request('GET', `/api/v1/namespaces/${mark}`);
    for (;;) {
      const log = await readFile(auditLogPath, 'utf8');
      if (log.includes(mark)) return log.slice(0, log.lastIndexOf('\n'));
      await systemClock.sleep(20, this.#signal);
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }
}
