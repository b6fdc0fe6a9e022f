/** Starts a real Kubernetes control plane on loopback for tests and for trying things out. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/model/clock.ts';
import { connectApi } from './api.ts';
import type { Api, ApiAddress } from './api.ts';
import { findBinaries, standardSearch } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import {
  generateTokens,
  kubeconfigPathOf,
  writeKubeconfigs,
  writeServiceAccountKey,
  writeTokenFile,
} from './credentials.ts';
import type { Tokens } from './credentials.ts';
import { createFakeNode, isNodeUsable } from './fake-node.ts';
import { findFreePort } from './free-port.ts';
import { sweepOrphans } from './plane-directory.ts';
import type { Program } from './programs.ts';
import { stderrProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { AUDIT_POLICY, FILES, serverCommand, storeOf } from './server-commands.ts';
import type { PlaneLayout } from './server-commands.ts';
import { ServerEndedError, ServerGroup } from './server-group.ts';
import { systemClock } from './system-clock.ts';

export interface ControlPlaneOptions {
  /** Found (and if need be downloaded or built) when absent. */
  readonly binaries?: Binaries;
  /** Keeps an audit log of all calls. */
  readonly audit?: boolean;
  /** Tells when each step of the start was done. */
  readonly verbose?: boolean;
  readonly progress?: Progress;
  /** Picks the ports to listen on; a port that turns out to be taken costs a second start. */
  readonly findPort?: () => Promise<number>;
}

/** A control plane that is ready for use. It keeps this process alive until it is stopped. */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT`; the certificate is valid for this name only, not for `localhost`. */
  readonly server: string;
  /** In PEM. */
  readonly certificateAuthority: string;
  readonly adminToken: string;
  /** The administrator's kubeconfig, with token and certificate inside. */
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
  /** One JSON object a line; undefined unless the audit log was asked for. */
  readonly auditLogPath: string | undefined;
  /** Holds everything else, the servers' logs among it; removed by `stop`. */
  readonly directory: string;
  /** Calls as the administrator. */
  readonly api: Api;
  /** The process of each server; a restart changes it. */
  pids(): Readonly<Partial<Record<Program, number>>>;
  /** Ends the API server and resolves when a new one on the same port is ready. SIGKILL makes it a crash. */
  restartApiServer(signal?: NodeJS.Signals): Promise<void>;
  /** Ends etcd and resolves when the API server reads from the new one. Nothing that was stored is lost. */
  restartEtcd(signal?: NodeJS.Signals): Promise<void>;
  /**
   * Copies all that etcd has stored, while it is stopped for a moment as in `restartEtcd`; gives the folder of the copy,
   * which goes with the control plane.
   */
  snapshot(): Promise<string>;
  /**
   * Puts etcd back to a copy, as administrators restore a backup: all servers end first, also those that remember what
   * they saw, and are started again on the old data. `meanwhile` is done while none runs. Resolves when the API server
   * is ready.
   */
  rewind(copy: string, meanwhile?: () => Promise<void>): Promise<void>;
  /** Ends every process and removes every file. May be called more than once. */
  stop(): Promise<void>;
}

interface Launch {
  readonly binaries: Binaries;
  readonly layout: PlaneLayout;
  readonly servers: ServerGroup;
  readonly clock: Clock;
  /** Of etcd's data, made so far. */
  readonly copies: { count: number };
  /** Told what is done by now. */
  readonly onStep: (step: string) => void;
}

const POLL_MS = 50;
const STEP_TIMEOUT_MS = 120_000;
const LAUNCH_TRIES = 3;

/**
 * Starts a control plane with one fake node and resolves when pods can be placed on it. Any number may run side by
 * side. Everything is cleaned up by `stop`, and without it when this process ends; what a killed process left behind is
 * cleaned up by the next start. Rejects with the last lines of the log of the server that is to blame.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const progress = options.progress ?? stderrProgress;
  const binaries = options.binaries ?? (await findBinaries(standardSearch(process.env, progress)));
  for (const orphan of sweepOrphans(tmpdir())) progress.line(`removed ${orphan}: its owner was killed`);
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce({ ...options, binaries, progress });
    } catch (error) {
      if (!isPortClash(error) || tries === LAUNCH_TRIES) throw error;
      progress.line('another process took a port at the same moment; starting again');
    }
  }
}

function isPortClash(error: unknown): boolean {
  return error instanceof ServerEndedError && error.message.includes('address already in use');
}

type StartSettings = ControlPlaneOptions & Required<Pick<ControlPlaneOptions, 'binaries' | 'progress'>>;

async function startOnce({ binaries, progress, ...options }: StartSettings): Promise<ControlPlane> {
  const servers = new ServerGroup(tmpdir());
  const clock = systemClock;
  const onStep = options.verbose === true ? stepTimes(progress, clock) : (): void => {};
  try {
    const findPort = options.findPort ?? findFreePort;
    const ports = { etcdPort: await findPort(), apiPort: await findPort() };
    const layout = { directory: servers.directory, audit: options.audit ?? false, ...ports };
    const plane = await launch({ binaries, layout, servers, clock, copies: { count: 0 }, onStep });
    void servers.unexpectedEnd.then((end) => progress.line(end.message));
    return plane;
  } catch (error) {
    await servers.dispose();
    throw error;
  }
}

function stepTimes(progress: Progress, clock: Clock): (step: string) => void {
  const startMs = clock.nowMs();
  return (step) => progress.line(`${step} after ${((clock.nowMs() - startMs) / 1000).toFixed(2)} s`);
}

async function launch(launching: Launch): Promise<ControlPlane> {
  const { layout } = launching;
  const tokens = generateTokens();
  writeServerFiles(layout, tokens);
  await startServers(launching, ['etcd', 'kube-apiserver']);
  const certificateAuthority = await readCertificate(launching);
  const server = `https://127.0.0.1:${layout.apiPort}`;
  writeKubeconfigs(layout.directory, { server, certificateAuthority }, tokens);
  const api = connectApi({ server, certificateAuthority, token: tokens.admin });
  try {
    await startCluster(launching, api);
  } catch (error) {
    await api.close();
    throw error;
  }
  return runningPlane(launching, { server, certificateAuthority, token: tokens.admin }, api);
}

function writeServerFiles({ directory, audit }: PlaneLayout, tokens: Tokens): void {
  writeTokenFile(join(directory, FILES.tokens), tokens);
  writeServiceAccountKey(join(directory, FILES.serviceAccountKey));
  if (audit) writeFileSync(join(directory, FILES.auditPolicy), JSON.stringify(AUDIT_POLICY));
}

async function startServers(
  { servers, binaries, layout }: Launch,
  programs: readonly Program[],
): Promise<void> {
  await Promise.all(programs.map((program) => servers.start(serverCommand(program, binaries, layout))));
}

/** The API server makes its certificate itself, and its key last: once that is there, both are complete. */
async function readCertificate(launching: Launch): Promise<string> {
  const folder = join(launching.layout.directory, FILES.certificates);
  const isMade = async (): Promise<boolean> => existsSync(join(folder, 'apiserver.key'));
  await until(launching, 'kube-apiserver', { step: 'certificate made', isDone: isMade });
  return readFileSync(join(folder, 'apiserver.crt'), 'utf8');
}

const CONTROLLERS = [
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const satisfies readonly Program[];

/** The controllers start when the API server is ready, not earlier: together they would only fight for the processors. */
async function startCluster(launching: Launch, api: Api): Promise<void> {
  await untilReady(launching, api);
  await startServers(launching, CONTROLLERS);
  await createFakeNode(api);
  await until(launching, 'kwok', { step: 'node usable', isDone: () => isNodeUsable(api) });
  await until(launching, 'kube-controller-manager', { step: 'accounts made', isDone: () => hasAccount(api) });
}

function untilReady(launching: Launch, api: Api): Promise<void> {
  return until(launching, 'kube-apiserver', { step: 'API server ready', isDone: () => isReady(api) });
}

async function isReady(api: Api): Promise<boolean> {
  return (await api.request('GET', '/readyz')).status === 200;
}

/** A read that no cache answers. `/readyz` does not notice at once that etcd is away. */
async function isStoreReadable(api: Api): Promise<boolean> {
  return (await api.request('GET', '/api/v1/namespaces/default')).status === 200;
}

/** The controller manager makes it for each namespace; no pod can be created before. */
async function hasAccount(api: Api): Promise<boolean> {
  return (await api.request('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200;
}

interface Condition {
  readonly step: string;
  /** What it throws counts as "not yet": a server that is starting refuses connections. */
  readonly isDone: () => Promise<boolean>;
}

/** Polls until a condition holds. Throws as soon as a server ends, and when it takes too long. */
async function until(launching: Launch, program: Program, { step, isDone }: Condition): Promise<void> {
  const { servers, clock, onStep } = launching;
  const deadlineMs = clock.nowMs() + STEP_TIMEOUT_MS;
  let cause: unknown;
  const isDoneNow = (): Promise<boolean> =>
    isDone().catch((error: unknown) => {
      cause = error;
      return false;
    });
  for (;;) {
    const outcome = await Promise.race([isDoneNow(), servers.unexpectedEnd]);
    if (outcome === true) return onStep(step);
    if (outcome instanceof ServerEndedError) throw outcome;
    if (clock.nowMs() > deadlineMs) throw new Error(describeDelay(step, program, servers), { cause });
    await clock.sleep(POLL_MS, new AbortController().signal);
  }
}

function describeDelay(step: string, program: Program, servers: ServerGroup): string {
  const delay = `not yet "${step}" after ${STEP_TIMEOUT_MS / 1000} s`;
  return `${delay}. The last lines of ${program}:\n${servers.lastLines(program)}`;
}

function untilStoreIsRead(launching: Launch, api: Api): Promise<void> {
  return until(launching, 'etcd', { step: 'etcd read', isDone: () => isStoreReadable(api) });
}

async function copyStore(launching: Launch, api: Api): Promise<string> {
  const { servers, layout } = launching;
  const store = storeOf(layout);
  launching.copies.count += 1;
  const copy = `${store}-copy-${launching.copies.count}`;
  const command = await servers.end('etcd', 'SIGTERM');
  await cp(store, copy, { recursive: true });
  await servers.start(command);
  await untilStoreIsRead(launching, api);
  return copy;
}

/** While no server runs. */
async function restoreStore(launching: Launch, api: Api, copy: string): Promise<void> {
  const store = storeOf(launching.layout);
  await rm(store, { recursive: true });
  // The copy stays as it is, so that it can be restored once more.
  await cp(copy, store, { recursive: true });
  await startServers(launching, ['etcd', 'kube-apiserver']);
  await untilReady(launching, api);
  // The kwok of before holds them for 40 s; a kubelet would have kept its name.
  await api.request('DELETE', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases');
  await startServers(launching, CONTROLLERS);
}

function runningPlane(launching: Launch, address: ApiAddress, api: Api): ControlPlane {
  const { servers, layout } = launching;
  const kubeconfigPath = kubeconfigPathOf(layout.directory, 'admin');
  const restart = async (program: Program, signal: NodeJS.Signals): Promise<void> => {
    await servers.restart(program, signal);
    await untilReady(launching, api);
  };
  return {
    server: address.server,
    certificateAuthority: address.certificateAuthority,
    adminToken: address.token,
    kubeconfig: readFileSync(kubeconfigPath, 'utf8'),
    kubeconfigPath,
    auditLogPath: layout.audit ? join(layout.directory, FILES.auditLog) : undefined,
    directory: layout.directory,
    api,
    pids: () => servers.pids(),
    restartApiServer: (signal = 'SIGKILL') => restart('kube-apiserver', signal),
    restartEtcd: async (signal = 'SIGKILL') => {
      await restart('etcd', signal);
      await untilStoreIsRead(launching, api);
    },
    snapshot: async () => copyStore(launching, api),
    rewind: async (copy, meanwhile = async () => {}) => {
      await servers.endAll();
      await meanwhile();
      await restoreStore(launching, api, copy);
    },
    stop: async () => {
      await api.close();
      await servers.dispose();
    },
  };
}
