/** How the text of a flag or a variable becomes a value. Pure. */

export type ParsedValue<T> =
  | { readonly kind: 'value'; readonly value: T }
  /** `expected` completes the sentence "expected …". */
  | { readonly kind: 'unreadable'; readonly expected: string };

export interface ValueType<T> {
  /** For `--help`: stands for the value, such as `DURATION`. */
  readonly placeholder: string;
  parse(text: string): ParsedValue<T>;
}

const value = <T>(parsed: T): ParsedValue<T> => ({ kind: 'value', value: parsed });
const unreadable = <T>(expected: string): ParsedValue<T> => ({ kind: 'unreadable', expected });

/** Any text; empty means that there is none. */
export const OPTIONAL_TEXT: ValueType<string | undefined> = {
  placeholder: 'TEXT',
  parse: (text) => value(text === '' ? undefined : text),
};

/** An RFC 1123 label, or nothing. */
export const OPTIONAL_NAME: ValueType<string> = {
  placeholder: 'NAME',
  parse: (text) =>
    text === '' || isLabel(text) ? value(text) : unreadable('lower-case letters, digits and dashes'),
};

/** Namespaces separated by commas; an empty list means all of them, as in the old operator. */
export const NAMESPACES: ValueType<readonly string[]> = {
  placeholder: 'NAMESPACES',
  parse: (text) => {
    const names = text.split(',').map((name) => name.trim());
    if (names.length === 1 && names[0] === '') return value([]);
    if (!names.every((name) => isLabel(name))) return unreadable('names of namespaces, separated by commas');
    return value([...new Set(names)]);
  },
};

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration in Go's form, such as `300s` or `1h30m`, in milliseconds. Must be longer than nothing. */
export const DURATION_MS: ValueType<number> = {
  placeholder: 'DURATION',
  parse: (text) => {
    const isDuration = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text);
    const parts = isDuration ? [...text.matchAll(/([\d.]+)([a-zµ]+)/g)] : [];
    const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0);
    return ms > 0 ? value(ms) : unreadable('a duration such as 300s, 5m or 1h30m');
  },
};

export function wholeNumber(from: number, to: number): ValueType<number> {
  return {
    placeholder: 'NUMBER',
    parse: (text) => {
      const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      return number >= from && number <= to
        ? value(number)
        : unreadable(`a whole number from ${from} to ${to}`);
    },
  };
}

export function choice<const T extends string>(choices: readonly T[]): ValueType<T> {
  return {
    placeholder: choices.join('|'),
    parse: (text) => {
      const found = choices.find((known) => known === text);
      return found === undefined ? unreadable(`one of ${choices.join(', ')}`) : value(found);
    },
  };
}

/** A host name or address to listen on. */
export const HOST: ValueType<string> = {
  placeholder: 'HOST',
  parse: (text) =>
    /^[A-Za-z0-9.:_-]+$/.test(text) ? value(text) : unreadable('a host name or an IP address'),
};

function isLabel(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}
