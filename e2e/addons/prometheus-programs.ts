/** Prometheus and promtool in the version that the operator installs, built from the Go module beside this file. */
import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADDON_IMAGES } from '../../src/core/values/addons/images.ts';
import { cachePath } from '../control-plane/cache-folder.ts';
import { runCommand } from '../control-plane/command.ts';
import { withFileLock } from '../control-plane/file-lock.ts';
import { goPlatform } from '../control-plane/programs.ts';
import { withHeartbeat } from '../control-plane/progress.ts';
import { systemClock } from '../control-plane/system-clock.ts';

const MODULE = fileURLToPath(new URL('./prometheus/', import.meta.url));
const PROGRAMS = ['prometheus', 'promtool'] as const;

/** Discovery in Kubernetes is all that is used, and the others would triple the build. */
const BUILD_TAGS = 'remove_all_sd,enable_kubernetes_sd';

/** The path of each program. */
export type PrometheusPrograms = Readonly<Record<(typeof PROGRAMS)[number], string>>;

export type ProgramSearch =
  | { readonly kind: 'found'; readonly programs: PrometheusPrograms }
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * The programs from the user's cache, built on first use: some five minutes on two processors, seconds when Go has
 * built them before. Debian's package is of no use: it comes without discovery in Kubernetes.
 */
export async function prometheusPrograms(): Promise<ProgramSearch> {
  const folder = programsFolder();
  await mkdir(folder, { recursive: true });
  const lock = { path: join(folder, 'lock'), clock: systemClock, onWait: () => undefined };
  return withFileLock(lock, async () => {
    for (const program of PROGRAMS) {
      const reason = await installed(join(folder, program), program);
      if (reason !== undefined) return { kind: 'missing', reason };
    }
    const programs = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
    return { kind: 'found', programs };
  });
}

function programsFolder(): string {
  const { os, arch } = goPlatform(process.platform, process.arch);
  return cachePath(process.env, `prometheus_${ADDON_IMAGES.prometheus.tag}_${os}_${arch}`);
}

/** Undefined once the program is there, else why it is not. */
async function installed(path: string, program: string): Promise<string | undefined> {
  if (await isExecutable(path)) return undefined;
  const progress = { line: (text: string) => void process.stderr.write(`telemetry addons: ${text}\n`) };
  const step = { name: `building ${program}`, hint: 'minutes on a cold machine' };
  return withHeartbeat({ progress, clock: systemClock }, step, async () => build(path, program));
}

async function build(path: string, program: string): Promise<string | undefined> {
  const partial = `${path}.partial`;
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', `-tags=${BUILD_TAGS}`];
  const goPackage = `github.com/prometheus/prometheus/cmd/${program}`;
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  const run = await runCommand('go', ['build', ...flags, '-o', partial, goPackage], { cwd: MODULE, env });
  if (run.kind === 'failed') {
    await rm(partial, { force: true });
    return run.reason;
  }
  await rename(partial, path);
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
