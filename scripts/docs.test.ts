import { expect } from 'chai';
import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMetrics } from '../src/controller/metrics.ts';
import { mapAt } from '../src/model/json.ts';
import type { JsonValue } from '../src/model/json.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOCAL_LINK = /\]\((?!https?:)([^)#\s]+)/g;
const SOURCE_FILE = /`((?:src|scripts|e2e|deploy|crds|docs)\/[\w./-]+\.\w+)`/g;

async function pages(): Promise<readonly string[]> {
  const documents = await readdir(join(ROOT, 'docs'), { recursive: true });
  const top = await readdir(ROOT);
  return [...top, ...documents.map((path) => join('docs', path))].filter((path) => path.endsWith('.md'));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Targets that are not there, as `page: target`. */
async function missing(pattern: RegExp, base: (page: string) => string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const page of await pages()) {
    const text = await readFile(join(ROOT, page), 'utf8');
    for (const [, target = ''] of text.matchAll(pattern)) {
      if (!(await exists(join(base(page), target)))) found.push(`${page}: ${target}`);
    }
  }
  return found;
}

describe('the documentation', () => {
  it('explains every npm script, and no other', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as JsonValue;
    const page = await readFile(join(ROOT, 'docs/contributing.md'), 'utf8');
    const mentioned = [...page.matchAll(/`npm (?:run )?([a-z0-9:]+)[^`]*`/g)].map(
      ([, script = '']) => script,
    );
    const explained = new Set(mentioned.filter((script) => script !== 'ci'));

    expect([...explained].toSorted()).to.deep.equal(Object.keys(mapAt(manifest, 'scripts')).toSorted());
  });

  it('explains every metric, and no other', async () => {
    const shown = await createMetrics(
      () => 0,
      () => ({ p99: 0, max: 0 }),
    ).text();
    const page = await readFile(join(ROOT, 'docs/operating.md'), 'utf8');
    const named = (text: string, pattern: RegExp): readonly string[] =>
      [...text.matchAll(pattern)].map(([, metric = '']) => metric).toSorted();

    expect(named(page, /^\| `([a-z0-9]+_[a-z0-9_]+)`/gm)).to.deep.equal(named(shown, /^# TYPE (\w+)/gm));
  });

  it('links only to pages that are there', async () => {
    expect(await missing(LOCAL_LINK, (page) => join(ROOT, dirname(page)))).to.deep.equal([]);
  });

  it('names only files that are there', async () => {
    expect(await missing(SOURCE_FILE, () => ROOT)).to.deep.equal([]);
  });

  it('shows for each pitfall of the client a test that is there, or why it cannot happen', async () => {
    const page = await readFile(join(ROOT, 'docs/client-pitfalls.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (P\d+) .*\| (.*?) *\|$/gm)];
    const faults: string[] = [];
    for (const [, pitfall = '', shownBy = ''] of rows) {
      if (shownBy.startsWith('cannot happen: ')) continue;
      for (const proof of shownBy.split('; `')) {
        const [, file = '', title = ''] = /^`?([^`]+)`: (.+)$/.exec(proof) ?? [];
        const source = (await exists(join(ROOT, file))) ? await readFile(join(ROOT, file), 'utf8') : '';
        if (title === '' || !source.includes(`it('${title}'`)) faults.push(`${pitfall}: ${proof}`);
      }
    }

    expect(rows.map(([, pitfall]) => pitfall)).to.deep.equal(
      Array.from({ length: 30 }, (_, index) => `P${index + 1}`),
    );
    expect(faults).to.deep.equal([]);
  });
});
