/** Failures that end a command, told to people in one shape. */
import type { DiagnosticName } from '../core/diagnostics.ts';
import { diagnose } from '../core/diagnostics.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { isError, printDiagnostic } from '../model/diagnostic.ts';
import type { Terminal } from './terminal.ts';

/**
 * 0: it worked. 1: the input or the cluster is at fault; for `diff`, that there are differences. 2: the command line is
 * at fault; for `diff`, anything is. 130: ended by Ctrl-C.
 */
export const EXIT = { ok: 0, failed: 1, differences: 1, usage: 2, trouble: 2, interrupted: 130 } as const;

/** Carries what to say; thrown where a command cannot go on. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(printDiagnostic).join('\n'));
    this.diagnostics = diagnostics;
  }
}

/** Wraps what ended a command in which exit code 1 is no failure. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly exitCode = EXIT.trouble;

  constructor(cause: unknown) {
    super('a comparison could not be made', { cause });
  }
}

/** Ends a command with one finding of the table that is about no document. */
export function failure(name: DiagnosticName, cause: string, remedy: string): CommandError {
  return new CommandError([diagnose(name, { path: [], cause, remedy })]);
}

/** One line for each finding, errors and warnings marked. */
export function sayDiagnostics(terminal: Terminal, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const mark = isError(diagnostic) ? terminal.style('red', 'error') : terminal.style('yellow', 'warning');
    terminal.say(`${mark} ${printDiagnostic(diagnostic)}`);
  }
}
