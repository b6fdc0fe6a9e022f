const LINES_TOLD = 15;

/** The end of a log: what a person needs to see why a program gave up. */
export function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-LINES_TOLD).join('\n');
}
