/** Runs a command in a terminal of its own, so that it speaks as it does to people. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Session {
  readonly columns: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Everything that the command wrote, with colours. `script` of util-linux gives it a terminal. */
export async function recorded(command: string, { columns, cwd, env }: Session): Promise<string> {
  const inTerminal = `stty cols ${columns} rows 50; ${command}`;
  const child = spawn('script', ['--quiet', '--echo', 'never', '--command', inTerminal, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return output;
}
