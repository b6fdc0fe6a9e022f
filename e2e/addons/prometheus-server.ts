/** A real Prometheus on loopback, and what it answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonValue } from '../../src/model/json.ts';
import { at, listAt } from '../../src/model/json.ts';
import { onProcessEnd } from '../control-plane/exit-guard.ts';
import { lastLines } from '../control-plane/last-lines.ts';
import type { Labels } from './mesh-story.ts';

/** One series of an answer. */
export interface Answer {
  readonly labels: Labels;
  /** Pairs of Unix seconds and value; for an instant query one. */
  readonly points: readonly (readonly [number, number])[];
}

export interface PrometheusServer {
  query(expression: string): Promise<readonly Answer[]>;
  queryRange(expression: string, range: TimeRange): Promise<readonly Answer[]>;
  /** The `data` of any other path of the interface, such as `targets`. */
  get(path: string): Promise<JsonValue>;
  stop(): Promise<void>;
}

/** In Unix seconds. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface PrometheusOptions {
  readonly program: string;
  /** Holds `prometheus.yml`, the data and the log. */
  readonly folder: string;
  readonly port: number;
}

/** Starts it and resolves when it is ready. Rejects with its last words when it ends before. */
export async function startPrometheus({
  program,
  folder,
  port,
}: PrometheusOptions): Promise<PrometheusServer> {
  const logPath = join(folder, 'prometheus.log');
  const log = openSync(logPath, 'a');
  const flags = {
    'config.file': join(folder, 'prometheus.yml'),
    'storage.tsdb.path': join(folder, 'data'),
    'storage.tsdb.retention.time': '10y',
    'web.listen-address': `127.0.0.1:${port}`,
  };
  const child = spawn(
    program,
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { cwd: folder, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const release = onProcessEnd(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit').finally(release);
  const origin = `http://127.0.0.1:${port}`;
  while (!(await isReady(origin))) {
    if (child.exitCode !== null)
      throw new Error(`Prometheus ended:\n${lastLines(readFileSync(logPath, 'utf8'))}`);
    await delay(50);
  }
  const get = async (path: string): Promise<JsonValue> => readApi(`${origin}/api/v1/${path}`);
  const ask = async (path: string, fields: Readonly<Record<string, string>>): Promise<readonly Answer[]> =>
    listAt(await get(`${path}?${new URLSearchParams(fields).toString()}`), 'result').map(answerOf);
  return {
    get,
    query: async (query) => ask('query', { query }),
    queryRange: async (query, { start, end, step }) =>
      ask('query_range', { query, start: String(start), end: String(end), step: String(step) }),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function readApi(url: string): Promise<JsonValue> {
  const answer = (await (await fetch(url)).json()) as JsonValue; // the interface speaks JSON
  if (at(answer, 'status') !== 'success') throw new Error(`${url}: ${JSON.stringify(at(answer, 'error'))}`);
  return at(answer, 'data') ?? null;
}

function answerOf(entry: JsonValue): Answer {
  const single = at(entry, 'value');
  const pairs = single === undefined ? listAt(entry, 'values') : [single];
  const labels = Object.entries((at(entry, 'metric') ?? {}) as Labels); // labels are texts by definition
  return {
    labels: Object.fromEntries(labels),
    points: pairs.map((pair) => [Number(at(pair, 0)), Number(at(pair, 1))] as const),
  };
}
