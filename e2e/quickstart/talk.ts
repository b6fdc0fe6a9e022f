export type StyleTextFormat = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

/** How the quickstart speaks: plain lines, so that it reads the same in a pipe. */
export interface Talk {
  say(line: string): void;
  /** Left out where colours are not wanted or cannot be shown. */
  style(format: StyleTextFormat, text: string): string;
}
