/** Generates docs/cli.md from the help of the commands. */
import { runProgram } from '../src/cli/program.ts';
import { hostEnvironment } from '../src/host.ts';

export const name = 'command line reference';

/** The page as `istio-operator docs` prints it. */
export async function generate(): Promise<ReadonlyMap<string, string>> {
  const printed: string[] = [];
  const { environment } = hostEnvironment();
  const terminal = { ...environment.terminal, print: (text: string) => void printed.push(text) };
  await runProgram({ ...environment, terminal }, ['docs']);
  return new Map([['docs/cli.md', printed.join('')]]);
}
