/** What was measured, and how it is printed beside its target. */

export interface Figure {
  readonly what: string;
  readonly value: number;
  /** Empty for a count. */
  readonly unit: 'ms' | 's' | 'MiB' | '/s' | '';
  /** The most that we allow ourselves. */
  readonly target?: number;
  /** What the operator that Istio shipped until 1.23 came to, on the same control plane. */
  readonly former?: string;
}

/** How a figure reads, such as `12.3 ms`, `≤ 25 ms`; the target is empty, and `isMet` undefined, when there is none. */
export interface FigureText {
  readonly measured: string;
  readonly target: string;
  readonly isMet: boolean | undefined;
}

/** A table in which every figure that misses its target is marked. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = [['what', 'measured', 'target', ''], ...figures.map(cellsOf)];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(([what = '', measured = '', target = '', mark = '']) => line([what, measured, target], widths, mark))
    .join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('there is no median of nothing');
  return middle;
}

/** The smallest of the values that is at least as large as so many per cent of them. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const found = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (found === undefined) throw new Error('there is no percentile of nothing');
  return found;
}

export function figureText({ value, unit, target }: Figure): FigureText {
  const measured = amount(value, unit);
  if (target === undefined) return { measured, target: '', isMet: undefined };
  return { measured, target: `≤ ${target} ${unit}`.trimEnd(), isMet: value <= target };
}

function cellsOf(figure: Figure): readonly string[] {
  const { measured, target, isMet } = figureText(figure);
  return [figure.what, measured, target, isMet === false ? 'MISSED' : ''];
}

function amount(value: number, unit: string): string {
  if (unit === '') return String(value);
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** Text to the left, numbers to the right. */
function line(
  [what = '', ...numbers]: readonly string[],
  [width = 0, ...widths]: readonly number[],
  mark: string,
): string {
  const cells = numbers.map((cell, index) => cell.padStart(widths[index] ?? 0));
  return [what.padEnd(width), ...cells, mark].join('   ').trimEnd();
}
