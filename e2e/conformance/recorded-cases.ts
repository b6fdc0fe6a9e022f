/** What real istioctl rendered: see README.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { JsonValue } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';

interface StoredCase {
  readonly name: string;
  readonly specs: readonly JsonValue[];
  readonly args?: readonly string[];
  /** Positions in objects.jsonl. */
  readonly objects?: readonly number[];
  readonly error?: string;
}

export interface RecordedCase {
  readonly name: string;
  /** As `-f a -f b`. */
  readonly specs: readonly JsonValue[];
  /** As `--set`. */
  readonly sets: readonly string[];
  readonly expected:
    | { readonly kind: 'objects'; readonly objects: readonly K8sObject[] }
    | { readonly kind: 'error'; readonly message: string };
}

export function recordedCases(version: string): readonly RecordedCase[] {
  const objects = rows(version, 'objects.jsonl.gz') as readonly K8sObject[];
  const cases = rows(version, 'cases.jsonl.gz') as readonly StoredCase[];
  return cases.map(({ name, specs, args = [], objects: positions, error }) => ({
    name,
    specs,
    sets: setsOf(args),
    expected:
      error === undefined
        ? { kind: 'objects', objects: (positions ?? []).flatMap((position) => objects[position] ?? []) }
        : { kind: 'error', message: error },
  }));
}

function rows(version: string, file: string): readonly unknown[] {
  const text = gunzipSync(readFileSync(join(import.meta.dirname, version, file))).toString('utf8');
  return text.split('\n').map((line) => JSON.parse(line) as unknown);
}

/** Flags come in pairs; `--revision R` is `--set revision=R`. */
function setsOf(args: readonly string[]): readonly string[] {
  return args.flatMap((flag, index) => {
    const value = args[index + 1] ?? '';
    if (flag === '--set') return [value];
    return flag === '--revision' ? [`revision=${value}`] : [];
  });
}
