/**
 * How to reach the API server and what to say there. The only file that knows @kubernetes/client-node, and only for
 * kubeconfig files: inside a pod the same facts are two variables and two files, and not loading the library saves
 * 17 MB and 0.1 CPU seconds (measured, bundled).
 */
import { readFile, stat } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
// Not the package's entry, which loads every model class; the file is the same KubeConfig.
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import type { Clock } from '../model/clock.ts';
import type { Diagnostic } from '../model/diagnostic.ts';

/** What a TLS connection is made with. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have, when it is not the host's. */
  readonly servername?: string;
  /** False only when the kubeconfig asks for insecure-skip-tls-verify. */
  readonly rejectUnauthorized?: boolean;
}

export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  /** The same object as before while nothing in it changed, so that connections can be kept by it. */
  readonly tls: TlsMaterial;
}

export interface Credentials {
  /** Base URL without a slash at the end. */
  readonly server: string;
  /** Proxy to go through, from the kubeconfig. */
  readonly proxyUrl: string | undefined;
  /** Namespace of the context or of the pod. */
  readonly namespace: string | undefined;
  /**
   * What the next request is to carry. Tokens and certificates are read again every ten seconds, because both rotate
   * under a running process. Rejects when they cannot be read.
   */
  access(): Promise<Access>;
  /** Forgets what was read, because the server refused it. */
  invalidate(): void;
}

export interface CredentialSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Path of a kubeconfig file; wins over everything else. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig other than its current one. */
  readonly context?: string;
  /**
   * Whether the pod's service account comes before the variable KUBECONFIG. The operator says so: it must not be sent
   * to another cluster by a variable. The command line does as kubectl does.
   */
  readonly preferPod: boolean;
  /** Where the service account is mounted; only tests change it. */
  readonly serviceAccountDir?: string;
}

export type CredentialsResult =
  | { readonly kind: 'loaded'; readonly credentials: Credentials }
  | { readonly kind: 'unusable'; readonly problem: Diagnostic };

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';
const RECHECK_MS = 10_000;

/** Finds the credentials: named file, pod or KUBECONFIG (see `preferPod`), then `~/.kube/config`. */
export async function loadCredentials(settings: CredentialSettings): Promise<CredentialsResult> {
  if (settings.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    return unusable(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 switches off the check of every certificate',
      'Unset it.',
    );
  }
  const named = settings.kubeconfig !== undefined || settings.context !== undefined;
  const fromEnv = (settings.env['KUBECONFIG'] ?? '') !== '';
  if (!named && (settings.preferPod || !fromEnv)) {
    const pod = await podCredentials(settings);
    if (pod !== undefined) return { kind: 'loaded', credentials: pod };
  }
  return kubeconfigCredentials(settings);
}

// In a pod ---------------------------------------------------------------------------------------------------------

async function podCredentials(settings: CredentialSettings): Promise<Credentials | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = settings.env;
  const directory = settings.serviceAccountDir ?? SERVICE_ACCOUNT_DIR;
  if (host === undefined || port === undefined || !(await exists(join(directory, 'token')))) return undefined;
  const read = async (): Promise<Access> => {
    const [token, ca] = await Promise.all([
      readFile(join(directory, 'token'), 'utf8'),
      readFile(join(directory, 'ca.crt'), 'utf8'),
    ]);
    return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
  };
  const namespace = await readFile(join(directory, 'namespace'), 'utf8').catch(() => undefined);
  return {
    // An IPv6 address needs brackets in a URL.
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    proxyUrl: undefined,
    namespace: namespace?.trim(),
    ...cachedAccess(settings.clock, read),
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

// With a kubeconfig ------------------------------------------------------------------------------------------------

interface LoadedConfig {
  readonly config: KubeConfig;
  readonly server: string;
  readonly proxyUrl: string | undefined;
  readonly namespace: string | undefined;
}

async function kubeconfigCredentials(settings: CredentialSettings): Promise<CredentialsResult> {
  const load = (): Promise<LoadedConfig> => loadKubeconfig(kubeconfigFiles(settings), settings.context);
  try {
    const first = await load();
    let { config } = first;
    const read = async (refused: boolean): Promise<Access> => {
      // A new KubeConfig also forgets what credential plugins said before; the library has no other way to do so.
      if (refused) ({ config } = await load());
      return accessOf(config);
    };
    const { server, proxyUrl, namespace } = first;
    const credentials = { server, proxyUrl, namespace, ...cachedAccess(settings.clock, read) };
    return { kind: 'loaded', credentials };
  } catch (error) {
    if (error instanceof KubeconfigProblem) return unusable(error.message, error.remedy);
    throw error;
  }
}

/** A fault in the kubeconfig that its owner can mend. */
class KubeconfigProblem extends Error {
  override readonly name = 'KubeconfigProblem';
  readonly remedy: string;

  constructor(cause: string, remedy: string) {
    super(cause);
    this.remedy = remedy;
  }
}

interface KubeconfigFiles {
  readonly paths: readonly string[];
  /** As kubectl does, files of a list in KUBECONFIG may be missing, a file that was named may not. */
  readonly mayBeMissing: boolean;
}

function kubeconfigFiles(settings: CredentialSettings): KubeconfigFiles {
  if (settings.kubeconfig !== undefined) return { paths: [settings.kubeconfig], mayBeMissing: false };
  const listed = (settings.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) return { paths: listed, mayBeMissing: true };
  return { paths: [join(settings.env['HOME'] ?? homedir(), '.kube', 'config')], mayBeMissing: true };
}

async function loadKubeconfig(files: KubeconfigFiles, context: string | undefined): Promise<LoadedConfig> {
  const library = await import('@kubernetes/client-node/dist/config.js');
  const parts: KubeConfig[] = [];
  for (const path of files.paths) {
    if (files.mayBeMissing && !(await exists(path))) continue;
    const part = new library.KubeConfig();
    parts.push(part);
    parse(part, path);
  }
  const config = new library.KubeConfig();
  config.loadFromOptions({
    clusters: firstOfEachName(parts.flatMap((part) => part.clusters)).map(withLoopbackAllowed),
    users: firstOfEachName(parts.flatMap((part) => part.users)),
    contexts: firstOfEachName(parts.flatMap((part) => part.contexts)),
    currentContext: context ?? parts.find((part) => (part.currentContext ?? '') !== '')?.currentContext ?? '',
  });
  return checked(config, files.paths);
}

function parse(config: KubeConfig, path: string): void {
  try {
    config.loadFromFile(path);
  } catch (error) {
    // Only the first line: the others of a YAML error quote the file, which holds tokens.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new KubeconfigProblem(
      `the kubeconfig ${path} cannot be read: ${reason}`,
      'Check the path and the file.',
    );
  }
}

/** Of several entries with one name the first counts, as with kubectl. */
function firstOfEachName<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  const seen = new Map<string, T>();
  for (const entry of entries) if (!seen.has(entry.name)) seen.set(entry.name, entry);
  return [...seen.values()];
}

function checked(config: KubeConfig, paths: readonly string[]): LoadedConfig {
  const place = paths.join(', ');
  if (config.contexts.length === 0) {
    const remedy = 'Name a kubeconfig with --kubeconfig or KUBECONFIG, or run inside a pod.';
    throw new KubeconfigProblem(`no cluster is configured in ${place}`, remedy);
  }
  const context = config.getContextObject(config.currentContext);
  if (context === null) {
    const known = config.contexts.map(({ name }) => name).join(', ');
    throw new KubeconfigProblem(
      `${place} has no context "${config.currentContext}"`,
      `Choose one with --context: ${known}.`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || config.getCurrentUser() === null) {
    const missing = cluster === null ? `cluster "${context.cluster}"` : `user "${context.user}"`;
    throw new KubeconfigProblem(
      `the context "${context.name}" names the ${missing}, which ${place} lacks`,
      'Add it.',
    );
  }
  const server = cluster.server.replace(/\/+$/, '');
  if (!URL.canParse(server))
    throw new KubeconfigProblem(`the server "${server}" in ${place} is no URL`, 'Correct it.');
  if (server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw new KubeconfigProblem(
      `the server ${server} would get credentials in clear text`,
      'Use an https URL.',
    );
  }
  return { config, server, proxyUrl: cluster.proxyUrl, namespace: context.namespace };
}

/** The library refuses plain HTTP unless told to skip TLS checks, also on loopback, where `kubectl proxy` listens. */
function withLoopbackAllowed(cluster: Cluster): Cluster {
  const url = URL.canParse(cluster.server) ? new URL(cluster.server) : undefined;
  const isLoopback = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url?.protocol === 'http:' && isLoopback ? { ...cluster, skipTLSVerify: true } : cluster;
}

/** Lets the library do what users, certificates and credential plugins ask for. */
async function accessOf(config: KubeConfig): Promise<Access> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const basic = options.auth ?? undefined;
  const authorization =
    basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` };
  return {
    headers: { ...headersOf(options.headers), ...authorization },
    tls: {
      ...(ca === undefined ? {} : { ca: pem(ca) }),
      ...(cert === undefined ? {} : { cert: pem(cert) }),
      ...(key === undefined ? {} : { key: pem(key) }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

function headersOf(headers: RequestOptions['headers']): Record<string, string> {
  const entries: readonly [string, unknown][] = Object.entries(headers ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** The library gives text or bytes; Node's type allows lists too. */
function pem(material: unknown): string {
  return Buffer.isBuffer(material) ? material.toString('utf8') : String(material);
}

// Both -------------------------------------------------------------------------------------------------------------

/** Reads at most every ten seconds or after a refusal, and once for callers that come at the same time. */
function cachedAccess(
  clock: Clock,
  read: (refused: boolean) => Promise<Access>,
): Pick<Credentials, 'access' | 'invalidate'> {
  let current: Access | undefined;
  let reading: Promise<Access> | undefined;
  let readAtMs = 0;
  let refused = false;
  const refresh = async (): Promise<Access> => {
    const wasRefused = refused;
    refused = false;
    const next = await read(wasRefused);
    readAtMs = clock.nowMs();
    current =
      current !== undefined && isSameTls(current.tls, next.tls) ? { ...next, tls: current.tls } : next;
    return current;
  };
  return {
    invalidate: () => {
      refused = true;
    },
    access: () => {
      if (current !== undefined && !refused && clock.nowMs() - readAtMs < RECHECK_MS)
        return Promise.resolve(current);
      reading ??= refresh().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

function isSameTls(left: TlsMaterial, right: TlsMaterial): boolean {
  return (['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'] as const).every(
    (key) => left[key] === right[key],
  );
}

function unusable(cause: string, remedy: string): CredentialsResult {
  return { kind: 'unusable', problem: { code: 'IOP606', severity: 'error', path: '', cause, remedy } };
}
