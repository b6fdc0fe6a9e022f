/** Makes log fields safe and small: secrets out, errors as facts, sizes bounded. Pure. */
import { ClusterError } from '../model/cluster-error.ts';

const REDACTED = '[redacted]';
const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
const MAX_TEXT = 2_000;

/** Names under which secrets are kept, in whatever spelling: `bearerToken`, `client-key-data`, `tls.key`. */
const SECRET_NAME =
  /token|passw|secret|authorization|credential|cookie|api[-_]?key|private[-_]?key|client[-_]?key|\.key$|stringdata|^data$/i;
/** Names that only sound so: they say where a secret is, not what it is. */
const HARMLESS_NAME = /secret(name|ref|s)?$/i;

/** Secrets that stand in the middle of texts. */
const SECRET_TEXTS: readonly RegExp[] = [
  /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g,
  /\b(?:bearer|basic) +[\w.~+/=-]{8,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // In a URL.
  /(?<=:\/\/[^/\s:@]*:)[^/\s@]+(?=@)/g,
];

/** The fields as plain JSON. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, redactNamed(name, value, 0)]),
  );
}

function redactNamed(name: string, value: unknown, depth: number): unknown {
  const isSecret = SECRET_NAME.test(name) && !(HARMLESS_NAME.test(name) && isPlainName(value));
  // Numbers and flags under such names are counts and settings.
  if (isSecret && (typeof value === 'string' || typeof value === 'object'))
    return value === null ? null : REDACTED;
  return redactValue(value, depth);
}

/** A Kubernetes name, such as `cacerts` under `secretName`. */
function isPlainName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(value);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return cut(value).map((item) => redactValue(item, depth + 1));
  if (value instanceof Map)
    return redactEntries(
      [...value].map(([key, item]) => [String(key), item]),
      depth,
    );
  if (value instanceof Set) return redactValue([...value], depth);
  return redactEntries(Object.entries(value), depth);
}

function redactEntries(
  entries: readonly (readonly [string, unknown])[],
  depth: number,
): Record<string, unknown> {
  return Object.fromEntries(cut(entries).map(([name, item]) => [name, redactNamed(name, item, depth + 1)]));
}

/** Of errors only what is known to be safe: other properties, such as headers and bodies of answers, are left out. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message } = error;
  if (error instanceof ClusterError) {
    const { kind, verb, ref, httpStatus } = error;
    return { name, message: redactText(message), kind, verb, ref, httpStatus };
  }
  const cause = error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) };
  return { name, message: redactText(message), stack: redactText(error.stack ?? ''), ...cause };
}

function redactText(text: string): string {
  const safe = SECRET_TEXTS.reduce((rest, pattern) => rest.replace(pattern, REDACTED), text);
  return safe.length <= MAX_TEXT ? safe : `${safe.slice(0, MAX_TEXT)}… (${safe.length} characters)`;
}

function cut<T>(items: readonly T[]): readonly T[] {
  return items.slice(0, MAX_ENTRIES);
}
