/** The command line in this process, on the shared control plane, with a terminal that remembers. */
import { loadAssets } from '../../src/assets/load.ts';
import { CommandError } from '../../src/cli/command-error.ts';
import type { CommandEnvironment } from '../../src/cli/environment.ts';
import { runProgram } from '../../src/cli/program.ts';
import { systemClock } from '../../src/cluster/system-clock.ts';
import { connect } from '../../src/host.ts';
import type { AssetBundle } from '../../src/model/assets.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface Run {
  /** Undefined when the command ended with an error. */
  readonly exitCode: number | undefined;
  /** What a pipe would get. */
  readonly printed: string;
  /** What a person would see beside it. */
  readonly said: string;
  readonly error: unknown;
}

export interface RunSettings {
  /** Lines of standard input. */
  readonly answers?: readonly string[];
  /** Files by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Told each line as it is said. */
  readonly onSay?: (line: string) => void;
}

let assets: Promise<AssetBundle> | undefined;

/** Runs one command as an administrator. What it throws is told in the result, as the executable tells it. */
export async function runCommand(
  plane: ControlPlane,
  argv: readonly string[],
  settings: RunSettings = {},
): Promise<Run> {
  const printed: string[] = [];
  const said: string[] = [];
  const environment = environmentFor(plane, settings, { printed, said });
  const result = (exitCode: number | undefined, error: unknown): Run => ({
    exitCode,
    error,
    printed: printed.join(''),
    said: withoutTimes(said.join('\n')).replaceAll(plane.server, 'SERVER'),
  });
  try {
    return result(await runProgram(environment, argv), undefined);
  } catch (error) {
    return result(undefined, error);
  }
}

function environmentFor(
  plane: ControlPlane,
  { answers = [], files = {}, signal, onSay }: RunSettings,
  { printed, said }: { readonly printed: string[]; readonly said: string[] },
): CommandEnvironment {
  const waiting = [...answers];
  assets ??= loadAssets();
  const bundle = assets;
  return {
    terminal: {
      print: (text) => void printed.push(text),
      say: (line) => {
        said.push(line);
        onSay?.(line);
      },
      style: (_style, text) => text,
      styleData: (_style, text) => text,
      isInteractive: false,
    },
    clock: systemClock,
    signal: signal ?? new AbortController().signal,
    version: '0.0.0',
    readText: async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`there is no file ${path}`);
      return text;
    },
    filesIn: async () => undefined,
    writeText: async (path) => {
      throw new Error(`no command against a cluster writes ${path}`);
    },
    ask: async (question) => {
      said.push(question.trimEnd());
      return waiting.shift();
    },
    loadAssets: async () => bundle,
    connect: async () => connect({ kubeconfig: plane.kubeconfigPath }),
    runOperator: async () => 0,
  };
}

/** The codes of what ended a command. */
export function codesOf({ error }: Run): readonly string[] {
  const reason = error instanceof Error && !(error instanceof CommandError) ? error.cause : error;
  return reason instanceof CommandError ? reason.diagnostics.map(({ code }) => code) : [];
}

/** What ended a command, as text; empty when nothing did. */
export function reasonOf({ error }: Run): string {
  if (error === undefined) return '';
  return error instanceof Error ? error.message : 'something that is no error';
}

/** How long things took differs from run to run. */
function withoutTimes(text: string): string {
  return text.replaceAll(/\d+\.\d s\b/g, 'N s');
}
