/** The programs of the embedded control plane: one row each, from which download, build and cache derive. */

/**
 * The release of each project. Whoever changes one also changes build/<project>/go.mod and lets
 * `go mod tidy` bring go.sum up to date; a test holds the two together.
 */
export const VERSIONS = { etcd: '3.6.6', kubernetes: '1.34.4', kwok: '0.7.0' } as const;

/** The Go module under build/ that a program is built from; also the name of its version above. */
export type Project = keyof typeof VERSIONS;

interface ProgramRow {
  readonly project: Project;
  /** The Go package to build, as seen from the module of the project. */
  readonly goPackage: string;
  /** How long a build takes on two cores with an empty Go cache, in seconds; only told to people who wait. */
  readonly coldBuildSeconds: number;
}

export const PROGRAMS = {
  etcd: { project: 'etcd', goPackage: '.', coldBuildSeconds: 60 },
  'kube-apiserver': {
    project: 'kubernetes',
    goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver',
    coldBuildSeconds: 270,
  },
  'kube-controller-manager': {
    project: 'kubernetes',
    goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    coldBuildSeconds: 80,
  },
  'kube-scheduler': {
    project: 'kubernetes',
    goPackage: 'k8s.io/kubernetes/cmd/kube-scheduler',
    coldBuildSeconds: 10,
  },
  kwok: { project: 'kwok', goPackage: 'sigs.k8s.io/kwok/cmd/kwok', coldBuildSeconds: 100 },
} as const satisfies Record<string, ProgramRow>;

export type Program = keyof typeof PROGRAMS;

export const PROGRAM_NAMES = Object.keys(PROGRAMS) as readonly Program[]; // keys of a closed literal

/** An operating system and processor as Go names them. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Translates Node's names for a platform into Go's. */
export function goPlatform(os: string, arch: string): Platform {
  return { os, arch: GO_ARCHITECTURES[arch] ?? arch };
}

/** Names a folder whose programs are interchangeable: the same versions for the same platform. */
export function cacheKey({ os, arch }: Platform): string {
  const versions = Object.entries(VERSIONS).map(([project, version]) => `${project}-${version}`);
  return [...versions, os, arch].join('_');
}
