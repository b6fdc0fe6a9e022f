/** Builds programs from the modules in build/, whose go.sum files pin every line of what is compiled. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installAtomically } from './binary-source.ts';
import type { BinarySource, Shortfall } from './binary-source.ts';
import { runCommand } from './command.ts';
import type { CommandResult } from './command.ts';
import { PROGRAMS, VERSIONS } from './programs.ts';
import type { Program, Project } from './programs.ts';
import { withHeartbeat } from './progress.ts';
import type { Reporting } from './progress.ts';

export interface GoBuildSettings extends Reporting {
  /** The Go command, such as `go`. */
  readonly go: string;
}

const MODULES = fileURLToPath(new URL('./build/', import.meta.url));

/** Without these, the API server reports v0.0.0, and clients that look at the version refuse it. */
const VERSION_VARIABLES: Readonly<Record<Project, Readonly<Record<string, string>>>> = {
  etcd: {},
  kwok: {},
  kubernetes: kubernetesVersionVariables(VERSIONS.kubernetes),
};

/** A source that compiles: minutes with an empty Go cache, seconds with a warm one. */
export function goBuildSource(settings: GoBuildSettings): BinarySource {
  return { name: 'go build', install: (missing, folder) => buildInTurn(settings, missing, folder) };
}

async function buildInTurn(
  settings: GoBuildSettings,
  missing: readonly Program[],
  folder: string,
): Promise<readonly Shortfall[]> {
  const probe = await runGo(settings.go, ['version'], MODULES);
  if (probe.kind === 'failed') return missing.map((program) => ({ program, reason: probe.reason }));
  const shortfalls: Shortfall[] = [];
  // One at a time: the compiler uses all processors by itself.
  for (const program of missing) {
    const reason = await build(settings, program, folder);
    if (reason !== undefined) shortfalls.push({ program, reason });
  }
  return shortfalls;
}

class BuildError extends Error {
  override readonly name = 'BuildError';
}

/** Returns why the program could not be built, or undefined when it is installed. */
async function build(
  settings: GoBuildSettings,
  program: Program,
  folder: string,
): Promise<string | undefined> {
  const hint = `about ${PROGRAMS[program].coldBuildSeconds} s on two processors; seconds if Go has built it before`;
  const step = { name: `building ${program}`, hint };
  try {
    await withHeartbeat(settings, step, () =>
      installAtomically(folder, program, (path) => compile(settings.go, program, path)),
    );
    return undefined;
  } catch (error) {
    if (error instanceof BuildError) return error.message;
    throw error;
  }
}

async function compile(go: string, program: Program, output: string): Promise<void> {
  const { project, goPackage } = PROGRAMS[program];
  const variables = Object.entries(VERSION_VARIABLES[project]).map(([name, value]) => `-X ${name}=${value}`);
  const linkerFlags = ['-s', '-w', ...variables].join(' ');
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', `-ldflags=${linkerFlags}`, '-o', output];
  const run = await runGo(go, ['build', ...flags, goPackage], join(MODULES, project));
  if (run.kind === 'failed') throw new BuildError(run.reason);
}

function runGo(go: string, args: readonly string[], directory: string): Promise<CommandResult> {
  // A workspace around this repository must not change what is built.
  return runCommand(go, args, { cwd: directory, env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' } });
}

function kubernetesVersionVariables(version: string): Readonly<Record<string, string>> {
  const [major = '', minor = ''] = version.split('.');
  const variables = 'k8s.io/component-base/version';
  return {
    [`${variables}.gitVersion`]: `v${version}`,
    [`${variables}.gitMajor`]: major,
    [`${variables}.gitMinor`]: minor,
  };
}
