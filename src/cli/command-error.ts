/** Failures that end a command, told to people in one shape. */
import type { Diagnostic } from '../model/diagnostic.ts';
import { isError, printDiagnostic } from '../model/diagnostic.ts';
import type { Terminal } from './terminal.ts';

/** 0: it worked. 1: the input or the cluster is at fault. 2: the command line is. 130: ended by Ctrl-C. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Carries what to say; thrown where a command cannot go on. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(printDiagnostic).join('\n'));
    this.diagnostics = diagnostics;
  }
}

/** A failure that is not about a document. */
export function commandFailure(code: string, cause: string, remedy: string): CommandError {
  return new CommandError([{ code, severity: 'error', path: '', cause, remedy }]);
}

/** One line for each finding, errors and warnings marked. */
export function sayDiagnostics(terminal: Terminal, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const mark = isError(diagnostic) ? terminal.style('red', 'error') : terminal.style('yellow', 'warning');
    terminal.say(`${mark} ${printDiagnostic(diagnostic)}`);
  }
}
