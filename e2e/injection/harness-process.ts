/** Talks to the Go program in harness/, which executes templates with istiod's functions and compares the results. */
import { fileURLToPath } from 'node:url';
import type { ComposedTemplate } from '../../src/core/injection/compose.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { callGo } from '../control-plane/go-module.ts';
import type { InjectionCase } from './cases.ts';
import type { RenderedInjector } from './rendered-injector.ts';

/** The case as the harness takes it: with the id of its injector, and the mesh configuration as YAML. */
export interface HarnessCase extends Omit<InjectionCase, 'values' | 'mesh'> {
  readonly injector: string;
  readonly mesh: string;
}

export interface RunRequest {
  /** The project's own templates, so that messages can name their files. */
  readonly templates: readonly ComposedTemplate[];
  readonly injectors: Readonly<Record<string, RenderedInjector>>;
  readonly cases: readonly HarnessCase[];
}

export interface CaseResult {
  readonly name: string;
  /** One line for each place where the result is not what is expected. */
  readonly differences: readonly string[];
  readonly error?: string;
  /** The result itself, for a case without expected objects. */
  readonly objects?: readonly JsonObject[];
}

export interface RunAnswer {
  readonly results: ReadonlyMap<string, CaseResult>;
  readonly matched: number;
  readonly failed: number;
  /** Branches of the templates that no case went through, each with its place. */
  readonly unvisited: readonly string[];
}

/** Runs cases. Rejects when an injector cannot be read, for instance because one of its templates does not parse. */
export async function runCases(request: RunRequest): Promise<RunAnswer> {
  const lines = await askHarness('run', request);
  const summary = lines.at(-1) as unknown as Omit<RunAnswer, 'results'>; // protocol.go: RunSummary is the last line
  const results = lines.slice(0, -1) as unknown as readonly CaseResult[];
  return { ...summary, results: new Map(results.map((result) => [result.name, result])) };
}

export interface TemplateFault {
  readonly template: string;
  /** File and line in the repository. */
  readonly place: string;
  readonly message: string;
}

export interface CheckRequest {
  readonly templates: readonly ComposedTemplate[];
  /** The keys that `values` may hold; what is below a leaf or an empty map is free-form. */
  readonly valuesKeys: JsonObject;
}

/** Finds what istiod would refuse or stumble over, in all branches, without running any. */
export async function checkTemplates(request: CheckRequest): Promise<readonly TemplateFault[]> {
  const [answer] = await askHarness('check', request);
  return (answer as unknown as { readonly faults: readonly TemplateFault[] }).faults; // protocol.go: CheckAnswer
}

/** Runs the harness's own tests. Rejects with their output when one fails. */
export async function testHarness(): Promise<void> {
  await callGo({ module: MODULE, args: ['test', './...'] });
}

const MODULE = fileURLToPath(new URL('harness/', import.meta.url));

async function askHarness(command: 'run' | 'check', request: object): Promise<readonly JsonObject[]> {
  const call = { module: MODULE, args: ['run', '.', command], input: JSON.stringify(request) };
  const answers = await callGo(call);
  const lines = answers.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as JsonObject); // one JSON object a line
}
