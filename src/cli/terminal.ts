/** Where a command reads and writes: data on standard output, talk on standard error. */

/** The few styles that are used; what a terminal cannot show is left out. */
export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

export interface Terminal {
  /** Data: what a pipe shall get. */
  print(text: string): void;
  /** Talk: progress, warnings, errors. One line, without the line break. */
  say(line: string): void;
  /** Talk that shows by itself when it is shown to a person. */
  style(style: Style, text: string): string;
  /** The same for data, which only a terminal gets with styles: never a pipe. */
  styleData(style: Style, text: string): string;
  /** Whether standard error is shown to a person, so that lines may be rewritten. */
  readonly isInteractive: boolean;
}
