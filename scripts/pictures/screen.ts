/** What a terminal shows after a program has written to it: cells with their colours, as a terminal emulator sees them. */
import headless from '@xterm/headless';

export interface Style {
  /** `#rrggbb`; undefined for the terminal's own. */
  readonly colour?: string;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** Neighbouring characters of one style. */
export interface Run {
  /** Column of the first character, from 0. */
  readonly column: number;
  readonly text: string;
  readonly style: Style;
}

export type Screen = readonly (readonly Run[])[];

/** The sixteen colours that programs name by number, made for a dark background. */
const PALETTE = [
  '#484f58',
  '#ff7b72',
  '#3fb950',
  '#d29922',
  '#58a6ff',
  '#bc8cff',
  '#39c5cf',
  '#b1bac4',
  '#6e7681',
  '#ffa198',
  '#56d364',
  '#e3b341',
  '#79c0ff',
  '#d2a8ff',
  '#56d4dd',
  '#ffffff',
];
const SCROLLBACK_LINES = 1000;

/** Writes the bytes to a terminal of that many columns. Empty lines at the end are left out. */
export async function screenAfter(output: string, columns: number): Promise<Screen> {
  const terminal = new headless.Terminal({
    cols: columns,
    rows: 10,
    scrollback: SCROLLBACK_LINES,
    convertEol: true,
    allowProposedApi: true, // the buffer
  });
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: buffer.length }, (_, index) => runsOf(buffer.getLine(index)));
  terminal.dispose();
  const last = lines.findLastIndex((runs) => runs.length > 0);
  return lines.slice(0, last + 1);
}

type BufferLine = ReturnType<headless.Terminal['buffer']['active']['getLine']>;

function runsOf(line: BufferLine): readonly Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < (line?.length ?? 0); column += 1) {
    const cell = line?.getCell(column);
    const text = cell?.getChars() ?? '';
    if (cell === undefined || text === '' || text === ' ') continue;
    const index = cell.getFgColor();
    const colour = cell.isFgPalette() ? PALETTE[index] : undefined;
    const style = {
      ...(colour === undefined ? {} : { colour }),
      isBold: cell.isBold() !== 0,
      isDim: cell.isDim() !== 0,
    };
    join(runs, { column, text, style });
  }
  return runs;
}

/** Words of one style a blank apart stay one run. */
function join(runs: Run[], next: Run): void {
  const last = runs.at(-1);
  const gap = last === undefined ? Number.NaN : next.column - (last.column + [...last.text].length);
  if (last === undefined || gap > 1 || !sameStyle(last.style, next.style)) {
    runs.push(next);
    return;
  }
  runs[runs.length - 1] = { ...last, text: `${last.text}${' '.repeat(gap)}${next.text}` };
}

function sameStyle(one: Style, other: Style): boolean {
  return one.colour === other.colour && one.isBold === other.isBold && one.isDim === other.isDim;
}
