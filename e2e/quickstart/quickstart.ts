/** `npm run quickstart`: a control plane, the operator, a sample, and what came of it. */
import { parseArgs, styleText } from 'node:util';
import type { StyleTextFormat } from './talk.ts';
import { describeFailure } from './failure.ts';
import { openPlayground } from './playground.ts';
import { startOperatorProcess } from './operator-process.ts';
import { installOperator } from './operator-rights.ts';
import { applySample, followToHealthy } from './sample.ts';
import { sayWhatToTry, summarise } from './summary.ts';
import type { Talk } from './talk.ts';

const USAGE = `Usage: npm run quickstart -- [options]

Starts a real Kubernetes control plane on this machine (or uses yours), runs the operator, installs a sample mesh and
stays until Ctrl-C.

  --once                 end with exit code 0 as soon as the sample is HEALTHY, or 1 with the reason
  --timeout <seconds>    how long the sample may take (default: 180)
  --file <file>          another IstioOperator than deploy/samples/demo.yaml
  --kubeconfig <file>    use this cluster instead of a control plane of our own
  --context <name>       use this context of the kubeconfig instead of a control plane of our own
  --help                 show this`;

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '180' },
    file: { type: 'string', default: 'deploy/samples/demo.yaml' },
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const talk: Talk = {
  say: (line) => void process.stdout.write(`${line}\n`),
  style: (format: StyleTextFormat, text) => styleText(format, text, { stream: process.stdout }),
};

async function main(): Promise<number> {
  if (values.help) {
    talk.say(USAGE);
    return 0;
  }
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  const { signal } = interruption;
  const playground = await openPlayground(talk, values);
  try {
    const access = await installOperator(talk, playground, signal);
    const operator = await startOperatorProcess(talk, access);
    try {
      const started = performance.now();
      const resource = await applySample(talk, playground, values.file, signal);
      const timeoutMs = Number(values.timeout) * 1000;
      const outcome = await followToHealthy(talk, playground, { resource, timeoutMs, signal });
      if (outcome.kind === 'interrupted') return 130;
      if (outcome.kind !== 'healthy') {
        talk.say(describeFailure(outcome, await operator.lastLines()));
        return 1;
      }
      summarise(talk, { resource: outcome.resource, tookMs: performance.now() - started });
      talk.say(`The operator uses ${await operator.residentMiB()} MiB of memory.`);
      if (values.once) return 0;
      sayWhatToTry(talk, playground, resource);
      await operator.ended(signal);
      return signal.aborted ? 0 : 1;
    } finally {
      await operator.stop();
    }
  } finally {
    talk.say('Stopping everything that was started here.');
    await playground.close();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
