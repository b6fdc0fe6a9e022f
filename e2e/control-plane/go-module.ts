/** Runs the Go programs of this repository, which prove with other projects' own code what ours makes. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface GoCall {
  /** The folder of the module. */
  readonly module: string;
  /** What `go` is to do, such as `run . check`. */
  readonly args: readonly string[];
  /** For its standard input. */
  readonly input?: string;
}

/**
 * What the call wrote to its standard output. Rejects with its complaint, or because Go is missing. `go run` builds into
 * Go's own cache: minutes on a cold machine, nothing afterwards.
 */
export async function callGo({ module, args, input = '' }: GoCall): Promise<string> {
  // Without cgo no C compiler is needed, and the cache is shared with the build of the control plane.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly' };
  const child = spawn('go', args, { cwd: module, env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`Go is needed to run ${module}`, { cause: error })));
    child.once('close', resolve);
  });
  child.stdin.on('error', () => undefined); // it ended early; its exit code and complaint tell why
  child.stdin.end(input);
  const [answers, complaints, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${complaints}${args[0] === 'test' ? answers : ''}`.trim());
  return answers;
}
