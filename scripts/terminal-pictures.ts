/**
 * `npm run pictures:terminal`: the pictures of the command line in docs/pictures/, drawn from what it really says about
 * a real control plane on this machine. Run it when the output changes; the pictures differ in names and times each
 * time, so nothing checks whether they are fresh.
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOperatorProcess } from '../e2e/quickstart/operator-process.ts';
import { installOperator } from '../e2e/quickstart/operator-rights.ts';
import { openPlayground } from '../e2e/quickstart/playground.ts';
import { applySample, followToHealthy } from '../e2e/quickstart/sample.ts';
import type { Talk } from '../e2e/quickstart/talk.ts';
import { buildProgram } from './build/program.ts';
import { recorded } from './pictures/recording.ts';
import type { Session } from './pictures/recording.ts';
import { pictureOf } from './pictures/screen-picture.ts';
import { screenAfter } from './pictures/screen.ts';

interface Scene {
  /** Name of the picture's file. */
  readonly name: string;
  readonly title: string;
  /** As the picture shows it. */
  readonly command: string;
  /** What is run, where that is not the same. */
  readonly runs?: string;
  readonly columns: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SAMPLE = join(ROOT, 'deploy/samples/demo.yaml');
const PICTURES = join(ROOT, 'docs/pictures');
const TIMEOUT_MS = 180_000;
const SILENT: Talk = { say: () => undefined, style: (_format, text) => text };

const QUICKSTART: Scene = {
  name: 'quickstart',
  title: 'From a clone to a mesh',
  command: 'npm run quickstart -- --once',
  runs: `node ${join(ROOT, 'e2e/quickstart/quickstart.ts')} --once`,
  columns: 118,
};

/** Run on an installed demo, beside a file that asks for a little more. */
const SCENES: readonly Scene[] = [
  { name: 'status', title: 'What is installed', command: 'istio-operator status', columns: 100 },
  {
    name: 'diff',
    title: 'What a file would change',
    command: 'istio-operator diff -f mesh.yaml',
    columns: 100,
  },
  {
    name: 'why',
    title: 'Where a value is from',
    command:
      'istio-operator why deployment/istio-ingressgateway spec.template.spec.containers[0].resources.requests.cpu -f mesh.yaml',
    columns: 118,
  },
];

async function main(): Promise<void> {
  await buildProgram(ROOT, join(ROOT, 'dist'));
  const folder = await mkdtemp(join(tmpdir(), 'istio-operator-pictures-'));
  try {
    await mkdir(join(folder, 'bin'));
    await symlink(join(ROOT, 'dist/main.mjs'), join(folder, 'bin/istio-operator'));
    const changed = (await readFile(SAMPLE, 'utf8')).replace('cpu: 100m', 'cpu: 250m');
    await writeFile(join(folder, 'mesh.yaml'), changed);
    await draw(QUICKSTART, sessionIn(ROOT, folder));
    await drawOnDemo(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function sessionIn(cwd: string, folder: string, kubeconfig?: string): Omit<Session, 'columns'> {
  const path = [join(folder, 'bin'), dirname(process.execPath), process.env['PATH']].join(':');
  return { cwd, env: { PATH: path, HOME: process.env['HOME'], KUBECONFIG: kubeconfig } };
}

async function drawOnDemo(folder: string): Promise<void> {
  const signal = AbortSignal.timeout(2 * TIMEOUT_MS);
  const playground = await openPlayground(SILENT, {});
  try {
    const access = await installOperator(SILENT, playground, signal);
    const operator = await startOperatorProcess(SILENT, access);
    try {
      const resource = await applySample(SILENT, playground, SAMPLE, signal);
      const outcome = await followToHealthy(SILENT, playground, { resource, timeoutMs: TIMEOUT_MS, signal });
      if (outcome.kind !== 'healthy') throw new Error(`the sample is ${outcome.kind}`);
      const session = sessionIn(folder, folder, playground.kubeconfigPath);
      for (const scene of SCENES) await draw(scene, session);
    } finally {
      await operator.stop();
    }
  } finally {
    await playground.close();
  }
}

async function draw(scene: Scene, session: Omit<Session, 'columns'>): Promise<void> {
  const { name, title, command, columns, runs = command } = scene;
  const screen = await screenAfter(await recorded(runs, { ...session, columns }), columns);
  if (screen.length === 0) throw new Error(`${command} said nothing`);
  await mkdir(PICTURES, { recursive: true });
  await writeFile(join(PICTURES, `${name}.svg`), pictureOf(screen, columns, { title, command }));
  console.log(`drew docs/pictures/${name}.svg`);
}

await main();
