/** Draws a dashboard as SVG: the panels where Grafana has them, each with axes and legend. */
import type { Unit } from '../dashboards.ts';
import { ticksUpTo } from './scale.ts';

export interface Line {
  readonly legend: string;
  /** Unix seconds and value, in order of time. */
  readonly points: readonly (readonly [number, number])[];
}

export interface PanelPicture {
  readonly title: string;
  readonly unit: Unit;
  readonly lines: readonly Line[];
}

export interface DashboardPicture {
  readonly title: string;
  /** What was chosen, such as `service: reviews`; empty when there is nothing to choose. */
  readonly choices: string;
  readonly panels: readonly PanelPicture[];
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
}

const PANEL = { width: 590, height: 236, gap: 10 } as const;
const HEADER = 58;
const PLOT = { left: 70, right: 28, top: 38, bottom: 64 } as const;
const COLUMNS = 2;

const COLOURS = ['#3274d9', '#e0752d', '#37872d', '#a352cc', '#c4162a', '#0f9d9d', '#b58900', '#6b7280'];

/** A complete SVG document. Panels fill rows of two. */
export function drawDashboard(dashboard: DashboardPicture): string {
  const rows = Math.ceil(dashboard.panels.length / COLUMNS);
  const width = COLUMNS * PANEL.width + (COLUMNS + 1) * PANEL.gap;
  const height = HEADER + rows * (PANEL.height + PANEL.gap);
  const panels = dashboard.panels.map((panel, index) => {
    const x = PANEL.gap + (index % COLUMNS) * (PANEL.width + PANEL.gap);
    const y = HEADER + Math.floor(index / COLUMNS) * (PANEL.height + PANEL.gap);
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, dashboard)}\n</g>`;
  });
  const choices = dashboard.choices === '' ? 'last 30 minutes' : `${dashboard.choices} · last 30 minutes`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#f4f5f7"/>`,
    `<text x="16" y="27" font-size="18" font-weight="bold" fill="#1f2937">${escaped(dashboard.title)}</text>`,
    `<text x="16" y="45" font-size="12" fill="#6b7280">${escaped(choices)}</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, unit, lines }: PanelPicture, { start, end }: DashboardPicture): string {
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  const ticks = ticksUpTo(Math.max(0, ...values), unit);
  const top = ticks.at(-1)?.value ?? 1;
  const place: Place = {
    x: (time) => PLOT.left + ((time - start) / (end - start)) * (PANEL.width - PLOT.left - PLOT.right),
    y: (value) => PANEL.height - PLOT.bottom - (value / top) * (PANEL.height - PLOT.top - PLOT.bottom),
  };
  return [
    `<rect width="${PANEL.width}" height="${PANEL.height}" rx="3" fill="#fff" stroke="#d8dbe0"/>`,
    `<text x="14" y="22" font-size="13" font-weight="bold" fill="#374151">${escaped(title)}</text>`,
    ...ticks.map(({ value, text }) => valueTick(place.y(value), text)),
    ...timesBetween(start, end).map((time) => timeTick(place.x(time), time)),
    ...lines.map((line, index) => drawLine(line, colourOf(index), place)),
    ...drawLegend(lines),
  ].join('\n');
}

/** From time and value to where they are in the panel. */
interface Place {
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#000';
}

function valueTick(y: number, text: string): string {
  const line = `<path d="M${PLOT.left} ${y.toFixed(1)}H${PANEL.width - PLOT.right}" stroke="#eceef1"/>`;
  const label = `<text x="${PLOT.left - 7}" y="${(y + 4).toFixed(1)}" text-anchor="end" fill="#6b7280">${text}</text>`;
  return line + label;
}

const TIME_STEP = 300;

function timesBetween(start: number, end: number): readonly number[] {
  const first = Math.ceil(start / TIME_STEP) * TIME_STEP;
  const count = Math.floor((end - first) / TIME_STEP) + 1;
  return Array.from({ length: count }, (_, index) => first + index * TIME_STEP);
}

function timeTick(x: number, time: number): string {
  const bottom = PANEL.height - PLOT.bottom;
  const text = new Date(time * 1000).toISOString().slice(11, 16);
  const line = `<path d="M${x.toFixed(1)} ${PLOT.top}V${bottom}" stroke="#f3f4f6"/>`;
  return `${line}<text x="${x.toFixed(1)}" y="${bottom + 16}" text-anchor="middle" fill="#6b7280">${text}</text>`;
}

function drawLine({ points }: Line, colour: string, place: Place): string {
  const known = points.filter(([, value]) => Number.isFinite(value));
  const path = known
    .map(
      ([time, value], index) =>
        `${index === 0 ? 'M' : 'L'}${place.x(time).toFixed(1)} ${place.y(value).toFixed(1)}`,
    )
    .join('');
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-linejoin="round"/>`;
}

const LEGEND = { characterWidth: 6, mark: 26, lineHeight: 17, lines: 2 } as const;

interface LegendEntry {
  readonly text: string;
  readonly x: number;
  readonly row: number;
}

/** As many entries as two lines hold; the last one says how many more there are. */
function drawLegend(lines: readonly Line[]): readonly string[] {
  const entries = placedLegend(lines.map(({ legend }) => legend));
  return entries.map(({ text, x, row }, index) => {
    const y = PANEL.height - 27 + row * LEGEND.lineHeight;
    const mark = `<path d="M${x} ${y - 4}h14" stroke="${colourOf(index)}" stroke-width="3"/>`;
    const label = `<text x="${x + 19}" y="${y}" fill="#374151">${escaped(text)}</text>`;
    return text.startsWith('and ') ? label : mark + label;
  });
}

function placedLegend(texts: readonly string[]): readonly LegendEntry[] {
  const placed: LegendEntry[] = [];
  let x = 14;
  let row = 0;
  for (const [index, text] of texts.entries()) {
    const width = LEGEND.mark + text.length * LEGEND.characterWidth;
    if (x + width > PANEL.width - 10) [x, row] = [14, row + 1];
    if (row === LEGEND.lines) {
      const last = placed.pop();
      return last === undefined ? [] : [...placed, { ...last, text: `and ${texts.length - index + 1} more` }];
    }
    placed.push({ text, x, row });
    x += width;
  }
  return placed;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/gu, (character) => ENTITIES[character] ?? character);
}
