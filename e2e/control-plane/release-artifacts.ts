/** Where the projects publish their programs and the sums of these, project by project. */
import { isJsonObject, listAt, stringAt } from '../../src/model/json.ts';
import { VERSIONS, PROGRAMS } from './programs.ts';
import type { Platform, Program, Project } from './programs.ts';

/** Roots of the sites, without a slash at the end. */
export interface ReleaseSites {
  readonly kubernetes: string;
  readonly github: string;
  readonly githubApi: string;
}

export const OFFICIAL_SITES: ReleaseSites = {
  kubernetes: 'https://dl.k8s.io',
  github: 'https://github.com',
  githubApi: 'https://api.github.com',
};

/** The projects publish programs for other systems too, but kube-apiserver only for this one. */
export const PUBLISHED_OS = 'linux';

export interface Artifact {
  readonly url: string;
  /** Where its SHA-256 sum is published. */
  readonly sumUrl: string;
  /** Finds the artifact's sum in what the site publishes; undefined when it isn't there. */
  readonly readSum: (published: string) => string | undefined;
  /** The program's path inside of a gzipped tar archive; absent when the artifact is the program itself. */
  readonly member?: string;
}

type Locate = (program: Program, platform: Platform, sites: ReleaseSites) => Artifact;

const ARTIFACTS: Readonly<Record<Project, Locate>> = {
  kubernetes: (program, { os, arch }, sites) => {
    const url = `${sites.kubernetes}/release/v${VERSIONS.kubernetes}/bin/${os}/${arch}/${program}`;
    return { url, sumUrl: `${url}.sha256`, readSum: (published) => asSum(published.trim()) };
  },
  etcd: (program, { os, arch }, sites) => {
    const release = `${sites.github}/etcd-io/etcd/releases/download/v${VERSIONS.etcd}`;
    const folder = `etcd-v${VERSIONS.etcd}-${os}-${arch}`;
    const archive = `${folder}.tar.gz`;
    return {
      url: `${release}/${archive}`,
      sumUrl: `${release}/SHA256SUMS`,
      readSum: (published) => sumInList(published, archive),
      member: `${folder}/${program}`,
    };
  },
  // kwok publishes no list of sums; GitHub computes one for each file and tells it in its description of the release.
  kwok: (program, { os, arch }, sites) => {
    const file = `${program}-${os}-${arch}`;
    return {
      url: `${sites.github}/kubernetes-sigs/kwok/releases/download/v${VERSIONS.kwok}/${file}`,
      sumUrl: `${sites.githubApi}/repos/kubernetes-sigs/kwok/releases/tags/v${VERSIONS.kwok}`,
      readSum: (published) => sumInRelease(published, file),
    };
  },
};

/** Tells where a program is published. */
export function artifactOf(program: Program, platform: Platform, sites: ReleaseSites): Artifact {
  return ARTIFACTS[PROGRAMS[program].project](program, platform, sites);
}

function asSum(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}

/** Lines of `<sum>  <file>`, as the program sha256sum prints them. */
function sumInList(list: string, file: string): string | undefined {
  const row = list.split('\n').find((line) => line.trim().split(/\s+/)[1] === file);
  return asSum(row?.trim().split(/\s+/)[0]);
}

/** A release as GitHub's API describes it; files from before it computed sums have none. */
function sumInRelease(json: string, file: string): string | undefined {
  const release = parse(json);
  if (!isJsonObject(release)) return undefined;
  const asset = listAt(release, 'assets').find((candidate) => stringAt(candidate, 'name') === file);
  return asSum(stringAt(asset, 'digest')?.replace(/^sha256:/, ''));
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // a proxy's page of apology, for one
  }
}
