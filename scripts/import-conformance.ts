/**
 * Takes recorded renderings of real istioctl (cases.jsonl and objects.jsonl in one folder) over into e2e/conformance, in
 * a compact form: `node scripts/import-conformance.ts FOLDER VERSION`. Run once for each release that is added.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

interface RecordedCase {
  readonly name: string;
  readonly specs: readonly unknown[];
  readonly args?: readonly string[];
  readonly objects?: Readonly<Record<string, string>>;
  readonly error?: string;
}

const [folder, version] = process.argv.slice(2);
if (folder === undefined || version === undefined)
  throw new Error('usage: import-conformance.ts FOLDER VERSION');
const target = join(import.meta.dirname, '../e2e/conformance', version);

function rows(file: string): readonly unknown[] {
  const lines = readFileSync(join(folder ?? '', file), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as unknown);
}

function write(file: string, values: readonly unknown[]): void {
  const text = values.map((value) => JSON.stringify(value)).join('\n');
  writeFileSync(join(target, file), gzipSync(text, { level: 9 }));
}

mkdirSync(target, { recursive: true });
const objects = rows('objects.jsonl') as readonly { readonly id: string; readonly object: unknown }[];
const position = new Map(objects.map(({ id }, index) => [id, index]));
write(
  'objects.jsonl.gz',
  objects.map(({ object }) => object),
);
write(
  'cases.jsonl.gz',
  // An object names itself: its place in the list of objects is enough.
  (rows('cases.jsonl') as readonly RecordedCase[]).map(
    ({ name, specs, args = [], objects: rendered, error }) => ({
      name,
      specs,
      ...(args.length === 0 ? {} : { args }),
      ...(error === undefined
        ? { objects: Object.values(rendered ?? {}).map((id) => position.get(id)) }
        : { error }),
    }),
  ),
);
