/** Fetches programs from the official release sites. Nothing is installed unless its published SHA-256 sum matches. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import type { Dispatcher, Response } from 'undici';
import { installAtomically } from './binary-source.ts';
import type { BinarySource, Shortfall } from './binary-source.ts';
import { runCommand } from './command.ts';
import type { Platform, Program } from './programs.ts';
import { withHeartbeat } from './progress.ts';
import type { Reporting } from './progress.ts';
import { PUBLISHED_OS, artifactOf } from './release-artifacts.ts';
import type { Artifact, ReleaseSites } from './release-artifacts.ts';

export interface DownloadSettings extends Reporting {
  readonly sites: ReleaseSites;
  readonly platform: Platform;
}

interface DownloadJob extends DownloadSettings {
  readonly folder: string;
  readonly dispatcher: Dispatcher;
}

/**
 * - `refused`: the site answered, but not with something that can be trusted.
 * - `unreachable`: no connection; the next file would fare no better.
 */
type SiteFault = 'refused' | 'unreachable';

class SiteError extends Error {
  override readonly name = 'SiteError';
  readonly fault: SiteFault;

  constructor(fault: SiteFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.fault = fault;
  }
}

const CONNECT_TIMEOUT_MS = 5000;
const IDLE_TIMEOUT_MS = 30_000;

/** A source that downloads. It gives up on all programs as soon as one site can't be reached. */
export function downloadSource(settings: DownloadSettings): BinarySource {
  return { name: 'download', install: (missing, folder) => downloadAll(settings, missing, folder) };
}

async function downloadAll(
  settings: DownloadSettings,
  missing: readonly Program[],
  folder: string,
): Promise<readonly Shortfall[]> {
  const { os } = settings.platform;
  if (os !== PUBLISHED_OS) return allFallShort(missing, `the release sites have no complete set for ${os}`);
  // Honours HTTPS_PROXY and NO_PROXY, as Go's tools do.
  const dispatcher = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
  try {
    return await downloadInTurn({ ...settings, folder, dispatcher }, missing);
  } finally {
    await dispatcher.destroy();
  }
}

async function downloadInTurn(job: DownloadJob, missing: readonly Program[]): Promise<readonly Shortfall[]> {
  const shortfalls: Shortfall[] = [];
  for (const [index, program] of missing.entries()) {
    const fault = await download(job, program);
    if (fault === undefined) continue;
    job.progress.line(`no download of ${program}: ${fault.message}`);
    if (fault.fault === 'unreachable') {
      return [...shortfalls, ...allFallShort(missing.slice(index), fault.message)];
    }
    shortfalls.push({ program, reason: fault.message });
  }
  return shortfalls;
}

function allFallShort(programs: readonly Program[], reason: string): readonly Shortfall[] {
  return programs.map((program) => ({ program, reason }));
}

async function download(job: DownloadJob, program: Program): Promise<SiteError | undefined> {
  const artifact = artifactOf(program, job.platform, job.sites);
  try {
    await withHeartbeat(job, { name: `downloading ${program}`, hint: new URL(artifact.url).host }, () =>
      installAtomically(job.folder, program, (path) => fetchProgram(artifact, path, job.dispatcher)),
    );
    return undefined;
  } catch (error) {
    if (error instanceof SiteError) return error;
    throw error;
  }
}

async function fetchProgram(artifact: Artifact, path: string, dispatcher: Dispatcher): Promise<void> {
  if (artifact.member === undefined) return fetchVerified(artifact, path, dispatcher);
  const archivePath = `${path}.tar.gz`;
  try {
    await fetchVerified(artifact, archivePath, dispatcher);
    await extract(archivePath, artifact.member, path);
  } finally {
    await rm(archivePath, { force: true });
  }
}

async function fetchVerified(artifact: Artifact, path: string, dispatcher: Dispatcher): Promise<void> {
  // The sum first: without one, a hundred megabytes would be fetched for nothing.
  const published = await get(artifact.sumUrl, dispatcher).then((response) => response.text());
  const expected = artifact.readSum(published);
  if (expected === undefined) throw new SiteError('refused', `${artifact.sumUrl} holds no sum for it`);
  const actual = await save(await get(artifact.url, dispatcher), path);
  if (actual !== expected) {
    throw new SiteError('refused', `${artifact.url} has SHA-256 ${actual}, but ${expected} is published`);
  }
}

async function get(url: string, dispatcher: Dispatcher): Promise<Response> {
  const response = await fetch(url, { dispatcher }).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  if (response.ok) return response;
  throw new SiteError('refused', `${url} answers ${response.status} ${response.statusText}`);
}

/** Writes a body to a file and returns its SHA-256 sum. */
async function save(response: Response, path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(hashed(response, hash), createWriteStream(path));
  return hash.digest('hex');
}

async function* hashed(response: Response, hash: Hash): AsyncGenerator<Uint8Array> {
  const body: AsyncIterable<Uint8Array> | null = response.body;
  try {
    for await (const chunk of body ?? []) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw unreachable(response.url, error);
  }
}

/** fetch says no more than "fetch failed"; why stands in the cause. */
function unreachable(url: string, error: unknown): SiteError {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new SiteError('unreachable', `no connection to ${new URL(url).host} (${String(reason)})`, error);
}

async function extract(archivePath: string, member: string, path: string): Promise<void> {
  const target = await open(path, 'w');
  try {
    const run = await runCommand('tar', ['-xzOf', archivePath, member], { stdout: target.fd });
    if (run.kind === 'failed') throw new SiteError('refused', run.reason);
  } finally {
    await target.close();
  }
}
