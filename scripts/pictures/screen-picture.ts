/** Draws a screen as SVG: text that can be selected, in a window like a terminal's. */
import type { Run, Screen } from './screen.ts';

const CELL = { width: 8.4, height: 19 } as const;
const FONT_SIZE = 14;
const MARGIN = 18;
const TITLE_HEIGHT = 34;
const INK = { text: '#e6edf3', back: '#0d1117', bar: '#161b22', faint: '#7d8590' } as const;
const LIGHTS = ['#ff5f57', '#febc2e', '#28c840'] as const;

export interface PictureText {
  /** In the bar of the window, and for those who cannot see the picture. */
  readonly title: string;
  /** What was typed, above its output. */
  readonly command: string;
}

/** The whole picture; the same screen gives the same text. */
export function pictureOf(screen: Screen, columns: number, { title, command }: PictureText): string {
  const prompt: readonly Run[] = [
    { column: 0, text: '$', width: 1, style: { colour: '#3fb950', isBold: true, isDim: false } },
    { column: 2, text: command, width: command.length, style: { isBold: true, isDim: false } },
  ];
  const lines = [prompt, ...screen];
  // A command may be longer than the terminal is wide, where it would be broken.
  const width = Math.ceil(Math.max(columns, command.length + 2) * CELL.width + 2 * MARGIN);
  const height = Math.ceil(TITLE_HEIGHT + lines.length * CELL.height + 2 * MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="10" fill="${INK.back}"/>`,
    `<path d="M0 ${TITLE_HEIGHT}V10a10 10 0 0 1 10-10H${width - 10}a10 10 0 0 1 10 10V${TITLE_HEIGHT}z" fill="${INK.bar}"/>`,
    ...LIGHTS.map((colour, index) => `<circle cx="${20 + index * 20}" cy="17" r="6" fill="${colour}"/>`),
    `<text x="${width / 2}" y="22" text-anchor="middle" font-family="sans-serif" font-size="13" fill="${INK.faint}">${escaped(title)}</text>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT_SIZE}" fill="${INK.text}">`,
    ...lines.flatMap((runs, row) => runs.map((run) => drawn(run, row))),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** `textLength` keeps columns in line whatever the font. */
function drawn({ column, text, width, style }: Run, row: number): string {
  const attributes = {
    x: rounded(MARGIN + column * CELL.width),
    y: rounded(TITLE_HEIGHT + MARGIN + (row + 0.75) * CELL.height),
    textLength: rounded(width * CELL.width),
    'xml:space': 'preserve',
    ...(style.colour === undefined ? {} : { fill: style.colour }),
    ...(style.isBold ? { 'font-weight': 'bold' } : {}),
    ...(style.isDim ? { opacity: '0.65' } : {}),
  };
  const written = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
  return `<text ${written.join(' ')}>${escaped(text)}</text>`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
