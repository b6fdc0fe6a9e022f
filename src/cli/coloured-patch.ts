/** Patches as people like them. */
import type { Style, Terminal } from './terminal.ts';

/** A patch as a person at a terminal sees it; a pipe gets it without colours. */
export function coloured(terminal: Terminal, patch: string): string {
  const lines = patch.split('\n').map((line) => {
    const style = STYLES.find(({ start }) => line.startsWith(start))?.style;
    return style === undefined ? line : terminal.styleData(style, line);
  });
  return lines.join('\n');
}

/** The first that fits counts: names of objects begin like what is added or removed. */
const STYLES: readonly { readonly start: string; readonly style: Style }[] = [
  { start: '---', style: 'bold' },
  { start: '+++', style: 'bold' },
  { start: '@@', style: 'dim' },
  { start: '+', style: 'green' },
  { start: '-', style: 'red' },
];
