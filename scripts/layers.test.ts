import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lintConfiguration } from './layer-rules.ts';
import { COMPOSITION, LAYERS } from './layers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');

/** A file as it might be written, and the rule that it breaks, if any. */
interface Planted {
  readonly why: string;
  readonly file: string;
  readonly text: string;
  readonly breaks?: string;
}

const IMPORTS = 'eslint(no-restricted-imports)';
const GLOBALS = 'eslint(no-restricted-globals)';
const PROPERTIES = 'eslint(no-restricted-properties)';

const PLANTED: readonly Planted[] = [
  {
    why: 'model imports a layer',
    file: 'src/model/a.ts',
    text: "export * from '../core/merge.ts';",
    breaks: IMPORTS,
  },
  { why: 'model imports a package', file: 'src/model/b.ts', text: "import 'yaml';", breaks: IMPORTS },
  { why: 'model imports itself', file: 'src/model/c.ts', text: "import './d.ts';" },
  { why: 'core reads files', file: 'src/core/a.ts', text: "import 'node:fs/promises';", breaks: IMPORTS },
  {
    why: 'core imports a type of a layer above',
    file: 'src/core/b.ts',
    text: "import type {} from '../apply/x.port.ts';",
    breaks: IMPORTS,
  },
  {
    why: 'core imports on demand',
    file: 'src/core/c.ts',
    text: "export const c = () => import('../cluster/x.ts');",
    breaks: IMPORTS,
  },
  {
    why: 'core reads the clock',
    file: 'src/core/d.ts',
    text: 'export const d = new Date();',
    breaks: GLOBALS,
  },
  {
    why: 'core reads the environment',
    file: 'src/core/e.ts',
    text: 'export const e = process.env;',
    breaks: GLOBALS,
  },
  {
    why: 'core throws dice',
    file: 'src/core/f.ts',
    text: 'export const f = Math.random();',
    breaks: PROPERTIES,
  },
  { why: 'core uses its packages', file: 'src/core/g.ts', text: "import 'handlebars';\nimport 'yaml';" },
  {
    why: 'core uses a package that it may not',
    file: 'src/core/h.ts',
    text: "import 'undici';",
    breaks: IMPORTS,
  },
  {
    why: 'a child of core knows another',
    file: 'src/core/spec/a.ts',
    text: "import '../values/x.ts';",
    breaks: IMPORTS,
  },
  {
    why: 'a child of core knows the meeting',
    file: 'src/core/spec/b.ts',
    text: "import '../plan.ts';",
    breaks: IMPORTS,
  },
  {
    why: 'a child of core uses core',
    file: 'src/core/spec/c.ts',
    text: "import '../merge.ts';\nimport '../../model/plan.ts';",
  },
  { why: 'core knows a child', file: 'src/core/i.ts', text: "import './values/x.ts';", breaks: IMPORTS },
  {
    why: 'the children meet',
    file: 'src/core/plan.ts',
    text: "import './values/x.ts';\nimport './spec/x.ts';",
  },
  { why: 'apply uses the objects of core', file: 'src/apply/a.ts', text: "import '../core/objects/x.ts';" },
  {
    why: 'apply uses more of core',
    file: 'src/apply/b.ts',
    text: "import '../core/plan.ts';",
    breaks: IMPORTS,
  },
  {
    why: 'apply sets a timer',
    file: 'src/apply/c.ts',
    text: 'export const c = setTimeout;',
    breaks: GLOBALS,
  },
  { why: 'apply prints a time it was given', file: 'src/apply/d.ts', text: 'export const d = new Date(0);' },
  {
    why: 'apply reads the clock',
    file: 'src/apply/e.ts',
    text: 'export const e = Date.now();',
    breaks: PROPERTIES,
  },
  { why: 'cluster uses a port', file: 'src/cluster/a.ts', text: "import type {} from '../apply/x.port.ts';" },
  {
    why: 'cluster uses what is behind a port',
    file: 'src/cluster/b.ts',
    text: "import '../apply/x.ts';",
    breaks: IMPORTS,
  },
  {
    why: 'cluster uses Node.js and its client',
    file: 'src/cluster/c.ts',
    text: "import 'node:fs/promises';\nimport 'undici';",
  },
  {
    why: 'only cluster knows the client',
    file: 'src/controller/a.ts',
    text: "import '@kubernetes/client-node';",
    breaks: IMPORTS,
  },
  {
    why: 'the command line makes no adapter',
    file: 'src/cli/deep/a.ts',
    text: "import '../../cluster/x.ts';",
    breaks: IMPORTS,
  },
  { why: 'nothing imports main', file: 'src/cli/b.ts', text: "import '../main.ts';", breaks: IMPORTS },
  {
    why: 'nothing imports main',
    file: 'src/cli/deep/b.ts',
    text: "import '../../main.ts';",
    breaks: IMPORTS,
  },
  {
    why: 'nothing imports scripts',
    file: 'src/cli/c.ts',
    text: "import '../../scripts/x.ts';",
    breaks: IMPORTS,
  },
  { why: 'main imports anything', file: 'src/main.ts', text: "import './cluster/x.ts';\nimport 'node:fs';" },
  {
    why: 'tests import anything',
    file: 'src/core/a.test.ts',
    text: "import 'node:fs';\nimport '../assets/load.ts';",
  },
  {
    why: 'a cycle',
    file: 'src/http/a.ts',
    text: "import { b } from './b.ts';\nexport const a = () => b;",
    breaks: 'import(no-cycle)',
  },
  {
    why: 'the other half of a cycle',
    file: 'src/http/b.ts',
    text: "import { a } from './a.ts';\nexport const b = () => a;",
    breaks: 'import(no-cycle)',
  },
];

const CHECKED_RULES = new Set(PLANTED.map((planted) => planted.breaks));

/** Lints all planted files in a tree of their own, and returns the broken rules by file. */
async function lintPlanted(): Promise<ReadonlyMap<string, readonly string[]>> {
  const root = await mkdtemp(join(tmpdir(), 'layers-'));
  try {
    const base: unknown = JSON.parse(await readFile(new URL('oxlint-base.json', import.meta.url), 'utf8'));
    // Typed rules would need a compiled tree; the rules of the layers look at the text alone.
    const untyped = { ...(base as object), options: {} };
    await writeFile(join(root, '.oxlintrc.json'), lintConfiguration(untyped, LAYERS));
    for (const { file, text } of PLANTED) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), `${text}\n`);
    }
    return brokenRules(await runOxlint(root));
  } finally {
    await rm(root, { recursive: true });
  }
}

async function runOxlint(cwd: string): Promise<string> {
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
  try {
    return (await promisify(execFile)(oxlint, ['--format', 'json', 'src'], { cwd })).stdout;
  } catch (error) {
    return (error as { readonly stdout: string }).stdout; // findings end it with an error
  }
}

function brokenRules(report: string): ReadonlyMap<string, readonly string[]> {
  const { diagnostics } = JSON.parse(report) as {
    readonly diagnostics: readonly { readonly filename: string; readonly code: string }[];
  };
  const found = diagnostics.filter(({ code }) => CHECKED_RULES.has(code));
  const files = Map.groupBy(found, ({ filename }) => filename);
  return new Map(
    [...files].map(([file, findings]) => [file, [...new Set(findings.map(({ code }) => code))]]),
  );
}

describe('the layer table', () => {
  it('has a row for every folder and for every file of src', async () => {
    const entries = await readdir(SRC, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);

    expect(folders.toSorted()).to.deep.equal(LAYERS.map(({ folder }) => folder).toSorted());
    const sources = files.filter((file) => !file.endsWith('.test.ts'));
    expect(sources.toSorted()).to.deep.equal(COMPOSITION.map(({ file }) => file).toSorted());
  });

  it('names every folder of a layer whose folders do not know each other', async () => {
    for (const { folder, meeting } of LAYERS) {
      if (meeting === undefined) continue;
      const entries = await readdir(join(SRC, folder), { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);

      expect(folders.toSorted()).to.deep.equal(meeting.folders.toSorted());
    }
  });

  it('is unambiguous, because no folder inside a layer bears the name of a layer', async () => {
    const layers = new Set(LAYERS.map(({ folder }) => folder));
    const entries = await readdir(SRC, { recursive: true, withFileTypes: true });
    const inner = entries.filter((entry) => entry.isDirectory() && entry.parentPath !== SRC);

    expect(inner.map(({ name }) => basename(name)).filter((name) => layers.has(name))).to.deep.equal([]);
  });
});

describe('the lint rules of the layers', () => {
  let broken: ReadonlyMap<string, readonly string[]>;

  before(async () => {
    broken = await lintPlanted();
  });

  for (const { why, file, breaks } of PLANTED) {
    it(`${breaks === undefined ? 'accept' : 'refuse'}: ${why}`, () => {
      expect(broken.get(file) ?? []).to.deep.equal(breaks === undefined ? [] : [breaks]);
    });
  }
});
