/** What we tell a person about a fault in what they gave us: code, place, cause, remedy. */

export type Severity = 'error' | 'warning';

/** Where a document was read. Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic {
  /** Permanent, `IOP` and three digits; `core/diagnostics.ts` lists them all. */
  readonly code: string;
  readonly severity: Severity;
  /** Path in the document, such as `spec.components.pilot.k8s.replicaCount`; empty for the whole document. */
  readonly path: string;
  readonly position?: Position;
  /** What is wrong, without a full stop. */
  readonly cause: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
}

export function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === 'error';
}

/** `IOP101 file.yaml:3:5 spec.profile: "dmeo" is not a profile. Use "demo".` */
export function printDiagnostic(diagnostic: Diagnostic): string {
  const { code, position, path, cause, remedy } = diagnostic;
  const file = position === undefined ? '' : `${position.file}:${position.line}:${position.column}`;
  const place = [file, path].filter((part) => part !== '').join(' ');
  return `${code} ${place === '' ? '' : `${place}: `}${cause}. ${remedy}`;
}
