#!/usr/bin/env node
/** The executable: checks Node.js, puts the parts together, runs the command line. The only place that ends the process. */
import { hostEnvironment } from './host.ts';

/** The first release that runs what the bundle holds; see `engines` in package.json. */
const NEEDED = [24, 12] as const;

function isNodeTooOld(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1]);
}

async function main(): Promise<number> {
  if (isNodeTooOld()) {
    process.stderr.write(
      `istio-operator needs Node.js ${NEEDED.join('.')} or newer; this is ${process.version}.\n`,
    );
    return 1;
  }
  const { environment, failed } = hostEnvironment();
  try {
    const { runProgram } = await import('./cli/program.ts');
    return await runProgram(environment, process.argv.slice(2));
  } catch (error) {
    return failed(error);
  }
}

process.exitCode = await main();
