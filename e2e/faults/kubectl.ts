/** The real kubectl, for what only it can tell: whether `kubectl wait` waits, and what `kubectl get` prints. */
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface KubectlResult {
  readonly code: number | null;
  readonly output: string;
  readonly complaint: string;
}

/** Tells why kubectl can't be used here, or undefined when it can. `.ci/run` installs it where it may. */
export function kubectlProblem(): string | undefined {
  const { error, status } = spawnSync('kubectl', ['version', '--client']);
  if (error !== undefined) return `kubectl cannot be run: ${error.message}`;
  return status === 0 ? undefined : `kubectl version --client ends with ${status}`;
}

/** Runs it as the administrator of that cluster. An exit code other than 0 is an answer, not an error. */
export async function kubectl(plane: ControlPlane, ...args: readonly string[]): Promise<KubectlResult> {
  const child = spawn('kubectl', [`--kubeconfig=${plane.kubeconfigPath}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its cache of what the API server serves would outlive the control plane.
    env: { ...process.env, KUBECACHEDIR: plane.directory },
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, output, complaint };
}
