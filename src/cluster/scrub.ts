/**
 * Makes the API server's error texts safe to show. The server quotes the values it refuses, and those may be secrets
 * (measured on 1.34: Secret data of a wrong type, label values, environment values). What stays is what helps: the
 * reason, field paths, names of managers and webhooks.
 */

const MAX_LENGTH = 600;

/** `Invalid value: …`, `Unsupported value: …`, `Duplicate value: …`, `Not found: …`, as Go's field errors print them. */
const REFUSED_VALUE = /\b(Invalid value|Unsupported value|Duplicate value|Not found): /g;

/** Tails that hold a dump of the value, with what is left of them. */
const VALUE_DUMPS: readonly { readonly pattern: RegExp; readonly left: string }[] = [
  // Structured merge: `expected string, got &value.valueUnstructured{Value:…}`; plain type names such as `got string` stay.
  { pattern: /, got (?![a-z]+\b(?!\.)).*$/s, left: ', got something else' },
  // Go's JSON decoder prints the bytes around the fault.
  { pattern: /,? ?error found in #\d+ byte of .*$/s, left: '' },
  // Go's conversions: `parsing "…": invalid syntax`, `parsing time "…" as "2006-01-02…": cannot parse "…" as …`.
  { pattern: /\bparsing time ".*$/s, left: 'parsing a time' },
  { pattern: /\bparsing "(?:[^"\\]|\\.)*"/g, left: 'parsing a value' },
  { pattern: /\bcannot unmarshal number \S+ into/g, left: 'cannot unmarshal a number into' },
];

/** What may stand before a quoted word that is a name and no value: a selector in a path, a field, a list of choices. */
const NAME_FOLLOWS =
  /(?:\bfield |=|\bkind |\bversion |\bresource |\bnamespaces |\bsupported values: (?:"[^"]*", )*)$/;
/** Schema validation quotes the type that it found. */
const TYPE_NAMES: ReadonlySet<string> = new Set('string integer number boolean object array null'.split(' '));

/** The text without dumps of refused values, on one line, at most 600 characters. */
export function scrub(text: string): string {
  return shorten(withoutRefusedValues(text));
}

/**
 * As `scrub`, for texts about an object that the server does not accept: there every quoted word that is not one of
 * those names, a field or a choice is taken for a value and dropped too.
 */
export function scrubInvalid(text: string, names: readonly string[]): string {
  const known = new Set([...TYPE_NAMES, ...names]);
  const safe = withoutRefusedValues(text);
  const quoted = /"((?:[^"\\]|\\.)*)"/g;
  return shorten(
    safe.replaceAll(quoted, (all: string, word: string, at: number) =>
      known.has(word) || NAME_FOLLOWS.test(safe.slice(0, at)) ? all : '"…"',
    ),
  );
}

function shorten(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`;
}

function withoutRefusedValues(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters would garble terminals and logs
  const oneLine = text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim();
  const withoutDumps = VALUE_DUMPS.reduce((rest, { pattern, left }) => rest.replace(pattern, left), oneLine);
  return dropRefusedValues(withoutDumps);
}

function dropRefusedValues(text: string): string {
  let result = '';
  let from = 0;
  for (const match of text.matchAll(REFUSED_VALUE)) {
    const start = match.index;
    // Inside a value that was dropped already.
    if (start < from) continue;
    const valueStart = start + match[0].length;
    result += `${text.slice(from, start)}${match[1] ?? ''}`;
    from = endOfValue(text, valueStart);
  }
  return result + text.slice(from);
}

/**
 * The place after a printed value: after its closing quote, or before the next `: `, `, ` or `]` that is not inside
 * brackets (`{"a":"b"}`, `map[string]string{…}`). A value that does not end is dropped to the end of the text.
 */
function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfQuoted(text, start);
  let from = start;
  for (;;) {
    const next = /: |, |[[\]{]/.exec(text.slice(from));
    if (next === null) return text.length;
    const at = from + next.index;
    if (next[0] !== '{' && next[0] !== '[') return at;
    from = endOfBracketed(text, at);
  }
}

function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function endOfBracketed(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i += 1) {
    const character = text[i];
    if (character === '"') i = endOfQuoted(text, i) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth === 0) return i + 1;
  }
  return text.length;
}
