/** Measures a whole installation on the embedded control plane, as a user of the quickstart sees it. */
import { fileURLToPath } from 'node:url';
import { describeFailure } from '../../e2e/quickstart/failure.ts';
import { startOperatorProcess } from '../../e2e/quickstart/operator-process.ts';
import { installOperator } from '../../e2e/quickstart/operator-rights.ts';
import { openPlayground } from '../../e2e/quickstart/playground.ts';
import type { Playground } from '../../e2e/quickstart/playground.ts';
import { applySample, followToHealthy } from '../../e2e/quickstart/sample.ts';
import type { Talk } from '../../e2e/quickstart/talk.ts';

export interface InstallationCost {
  /** From the creation of the resource, with the operator just started, until its status says HEALTHY. */
  readonly healthyMs: number;
  /** Resident memory of the operator's process afterwards. */
  readonly operatorRssMib: number;
}

const SAMPLE = fileURLToPath(new URL('../../deploy/samples/demo.yaml', import.meta.url));
const TIMEOUT_MS = 120_000;
const QUIET: Talk = { say: () => undefined, style: (_format, text) => text };

/** Installs the sample for the demo profile with the operator in that file. Rejects when it does not become HEALTHY. */
export async function measureInstallation(program: string): Promise<InstallationCost> {
  const playground = await openPlayground(QUIET, {});
  try {
    return await measureOn(playground, program);
  } finally {
    await playground.close();
  }
}

async function measureOn(playground: Playground, program: string): Promise<InstallationCost> {
  const signal = AbortSignal.timeout(2 * TIMEOUT_MS);
  const access = await installOperator(QUIET, playground, signal);
  const operator = await startOperatorProcess(QUIET, access, program);
  try {
    const startMs = performance.now();
    const resource = await applySample(QUIET, playground, SAMPLE, signal);
    const outcome = await followToHealthy(QUIET, playground, { resource, timeoutMs: TIMEOUT_MS, signal });
    const healthyMs = performance.now() - startMs;
    if (outcome.kind === 'interrupted') throw new Error('the installation took too long');
    if (outcome.kind !== 'healthy') throw new Error(describeFailure(outcome, await operator.lastLines()));
    return { healthyMs, operatorRssMib: await operator.residentMiB() };
  } finally {
    await operator.stop();
  }
}
