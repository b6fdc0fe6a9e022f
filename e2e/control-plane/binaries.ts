/** Finds the programs of the control plane, wherever they can be had fastest. */
import { access, constants, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PARTIAL_SUFFIX } from './binary-source.ts';
import type { BinarySource } from './binary-source.ts';
import { cachePath } from './cache-folder.ts';
import { downloadSource } from './download.ts';
import { withFileLock } from './file-lock.ts';
import type { LockSettings } from './file-lock.ts';
import { goBuildSource } from './go-build.ts';
import { PROGRAM_NAMES, cacheKey, goPlatform } from './programs.ts';
import type { Program } from './programs.ts';
import { stderrProgress } from './progress.ts';
import type { Reporting } from './progress.ts';
import { OFFICIAL_SITES } from './release-artifacts.ts';
import { systemClock } from './system-clock.ts';

/** The path of each program. */
export type Binaries = Readonly<Record<Program, string>>;

export interface BinarySearch extends Reporting {
  /** A folder that is looked into first; it need not have every program. */
  readonly assetsFolder?: string;
  /** Where installed programs are kept between runs. */
  readonly cacheFolder: string;
  /** Asked in this order for what is in neither folder. */
  readonly sources: readonly BinarySource[];
}

type Found = ReadonlyMap<Program, string>;

type SearchState =
  | { readonly kind: 'complete'; readonly binaries: Binaries }
  | { readonly kind: 'incomplete'; readonly missing: readonly Program[] };

const WAIT_NOTICE_MS = 15_000;

/** The search that the environment asks for: KUBEBUILDER_ASSETS, the user's cache, the release sites, Go. */
export function standardSearch(env: NodeJS.ProcessEnv, progress = stderrProgress): BinarySearch {
  const platform = goPlatform(process.platform, process.arch);
  const reporting = { progress, clock: systemClock };
  const assetsFolder = env['KUBEBUILDER_ASSETS'];
  return {
    ...reporting,
    ...(assetsFolder ? { assetsFolder } : {}),
    cacheFolder: cachePath(env, 'control-plane', cacheKey(platform)),
    sources: [
      downloadSource({ ...reporting, sites: OFFICIAL_SITES, platform }),
      goBuildSource({ ...reporting, go: 'go' }),
    ],
  };
}

/**
 * Finds every program; installs into the cache what is in neither folder. Several processes may do so at once: one
 * installs, the others wait for it. Rejects with the reasons of every source and what to do when a program can't be
 * had.
 */
export async function findBinaries(search: BinarySearch): Promise<Binaries> {
  const assets = await programsInAssets(search.assetsFolder);
  const ready = await completed(search, assets);
  if (ready.kind === 'complete') return ready.binaries;
  await mkdir(search.cacheFolder, { recursive: true });
  const lock = { path: join(search.cacheFolder, 'lock'), clock: search.clock, onWait: waitNotice(search) };
  return withFileLock(lock, () => installMissing(search, assets));
}

/** Looks again before it installs: whoever held the lock before us may have installed everything. */
async function installMissing(search: BinarySearch, assets: Found): Promise<Binaries> {
  await removePartialFiles(search.cacheFolder);
  const reasons: string[] = [];
  let state = await completed(search, assets);
  for (const source of search.sources) {
    if (state.kind === 'complete') break;
    const shortfalls = await source.install(state.missing, search.cacheFolder);
    reasons.push(...shortfalls.map(({ program, reason }) => `  ${program}: ${source.name}: ${reason}`));
    state = await completed(search, assets);
  }
  if (state.kind === 'complete') return state.binaries;
  throw new Error(whyMissing(state.missing, reasons));
}

async function completed(search: BinarySearch, assets: Found): Promise<SearchState> {
  const found = new Map([...(await programsIn(search.cacheFolder)), ...assets]);
  const missing = PROGRAM_NAMES.filter((program) => !found.has(program));
  if (missing.length > 0) return { kind: 'incomplete', missing };
  // No program is missing, so the record is complete; the compiler can't know.
  return { kind: 'complete', binaries: Object.fromEntries(found) as Binaries };
}

async function programsInAssets(folder: string | undefined): Promise<Found> {
  if (folder === undefined) return new Map();
  const programs = await programsIn(folder);
  if (programs.size > 0) return programs;
  throw new Error(
    `KUBEBUILDER_ASSETS names ${folder}, which has none of ${PROGRAM_NAMES.join(', ')}. ` +
      'Correct the variable, or unset it to have the programs downloaded or built.',
  );
}

async function programsIn(folder: string): Promise<Found> {
  const found = new Map<Program, string>();
  for (const program of PROGRAM_NAMES) {
    const path = join(folder, program);
    if (await isExecutable(path)) found.set(program, path);
  }
  return found;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a killed run left behind. Only the holder of the lock may do this: nobody else writes here then. */
async function removePartialFiles(folder: string): Promise<void> {
  const names = await readdir(folder);
  const partial = names.filter((name) => name.includes(PARTIAL_SUFFIX));
  await Promise.all(partial.map((name) => rm(join(folder, name), { force: true })));
}

function waitNotice({ progress, cacheFolder }: BinarySearch): LockSettings['onWait'] {
  let nextNoticeMs = 0;
  return (holder, waitedMs) => {
    if (waitedMs < nextNoticeMs) return;
    const where = nextNoticeMs === 0 ? ` in ${cacheFolder}` : `: ${Math.round(waitedMs / 1000)} s`;
    progress.line(`waiting for process ${holder.pid}, which installs the programs${where}`);
    nextNoticeMs = waitedMs + WAIT_NOTICE_MS;
  };
}

function whyMissing(missing: readonly Program[], reasons: readonly string[]): string {
  return [
    `cannot get ${missing.join(', ')} for the control plane:`,
    ...reasons,
    'Install Go 1.24 or later, or give this machine access to the release sites, or set KUBEBUILDER_ASSETS to a ' +
      'folder that has these programs.',
  ].join('\n');
}
