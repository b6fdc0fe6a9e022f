/** Writes the module that takes the place of src/assets/source.ts in the bundle: all assets, compiled. */
import standalone from 'ajv/dist/standalone/index.js';
import type { Plugin } from 'esbuild';
import Handlebars from 'handlebars';
import { dirname } from 'node:path';
import type { BundledPieces, BundledTrees } from '../../src/assets/bundled.ts';
import { readAssets } from '../../src/assets/source.ts';
import { checkedSchemas, schemaCompiler } from '../../src/assets/validators.ts';
import { printYaml } from '../../src/core/yaml.ts';
import { TEMPLATE_OPTIONS } from '../../src/model/assets.ts';
import type { AssetBundle, TemplateSource } from '../../src/model/assets.ts';

/** Pieces by name, each as a JavaScript expression. */
type Expressions = Readonly<Record<keyof BundledPieces, string>>;

interface VirtualModule {
  readonly contents: string;
  /** `file` puts the contents beside the chunks and makes the module export their path. */
  readonly loader: 'js' | 'file';
}

/** Modules that exist only in the bundle, by what writes them. The second part of a name tells which one of several. */
const VIRTUAL = {
  'compiled-validators': validatorModule,
  'printed-definitions': printedModule,
  'asset-text': textModule,
} as const satisfies Record<string, (assets: AssetBundle, name: string) => VirtualModule>;
const VIRTUAL_NAMES = new RegExp(`^(${Object.keys(VIRTUAL).join('|')})(?:/|$)`);

/** Lets esbuild load the assets from a module that needs no compiler, and no parser but that for JSON. */
export function compiledAssets(): Plugin {
  return {
    name: 'compiled-assets',
    async setup(build) {
      const assets = await readAssets();
      build.onLoad({ filter: /\/src\/assets\/source\.ts$/ }, ({ path }) => ({
        contents: assetModule(assets),
        loader: 'js',
        resolveDir: dirname(path),
      }));
      build.onResolve({ filter: VIRTUAL_NAMES }, ({ path, resolveDir }) => ({
        path,
        namespace: 'virtual',
        pluginData: { resolveDir },
      }));
      build.onLoad({ filter: /./, namespace: 'virtual' }, ({ path, pluginData }) => ({
        ...virtualModule(path, assets),
        resolveDir: (pluginData as { readonly resolveDir: string }).resolveDir, // from onResolve above
      }));
    },
  };
}

function virtualModule(path: string, assets: AssetBundle): VirtualModule {
  const [kind, name = ''] = path.split('/');
  return VIRTUAL[kind as keyof typeof VIRTUAL](assets, name); // the filter above lets only these pass
}

function assetModule(assets: AssetBundle): string {
  const names = Object.keys(textsOf(assets));
  const pieces = Object.entries(expressionsOf(assets)).map(([name, expression]) => `${name}: ${expression}`);
  return [
    `import { readFileSync } from 'node:fs';`,
    `import { bundledAssets } from './bundled.ts';`,
    `import { validateSpec, validateValues } from 'compiled-validators';`,
    ...names.map((name, index) => `import path${index} from 'asset-text/${name}.json';`),
    `const textAt = (path) => () => readFileSync(new URL(path, import.meta.url), 'utf8');`,
    `const texts = { ${names.map((name, index) => `${JSON.stringify(name)}: textAt(path${index})`).join(', ')} };`,
    `const pieces = { ${pieces.join(', ')} };`,
    'export const readAssets = async () => bundledAssets(pieces);',
  ].join('\n');
}

/** What is only read when it is needed, by the name of its file: a text in a module would stay in memory. */
function textsOf(assets: AssetBundle): Readonly<Record<string, unknown>> {
  const definitions = [...assets.crds.keys()].map(
    (line) => [definitionsOf(line), assets.crds.get(line)] as const,
  );
  return {
    trees: treesOf(assets),
    deployment: assets.deployment,
    'revision-rights': assets.revisionRights,
    'spec-schema': assets.specSchema,
    'values-schema': assets.valuesSchema,
    ...Object.fromEntries(definitions),
  };
}

function definitionsOf(line: string): string {
  return `definitions-${line}`;
}

function expressionsOf(assets: AssetBundle): Expressions {
  const lines = [...assets.crds.keys()];
  return {
    templates: objectOf([...assets.templates].map(([name, source]) => [name, precompiled(name, source)])),
    trees: text('trees'),
    deployment: text('deployment'),
    revisionRights: text('revision-rights'),
    specSchema: text('spec-schema'),
    valuesSchema: text('values-schema'),
    crds: objectOf(lines.map((line) => [line, text(definitionsOf(line))])),
    // Modules of their own: only commands that print need one.
    crdSpecs: objectOf(
      lines.map((line) => [line, `async () => (await import('printed-definitions/${line}')).default`]),
    ),
    validateSpec: 'validateSpec',
    validateValues: 'validateValues',
  };
}

function text(name: string): string {
  return `texts[${JSON.stringify(name)}]`;
}

function textModule(assets: AssetBundle, file: string): VirtualModule {
  return { contents: JSON.stringify(textsOf(assets)[file.replace(/\.json$/, '')]), loader: 'file' };
}

function printedModule(assets: AssetBundle, line: string): VirtualModule {
  const printed = (assets.crds.get(line) ?? []).map(({ spec = null }) => printYaml({ spec }));
  return { contents: `export default ${JSON.stringify(printed)};`, loader: 'js' };
}

function treesOf(assets: AssetBundle): BundledTrees {
  return {
    defaults: Object.fromEntries(assets.defaults),
    profiles: Object.fromEntries(assets.profiles),
    presets: Object.fromEntries(assets.presets),
    files: Object.fromEntries(assets.files),
  };
}

function precompiled(name: string, source: TemplateSource): string {
  if (source.kind === 'precompiled') throw new Error(`template ${name} is compiled already`);
  // Its declared type is the value of this expression; what it returns is the expression.
  return Handlebars.precompile(source.text, TEMPLATE_OPTIONS) as unknown as string;
}

function objectOf(entries: readonly (readonly [string, string])[]): string {
  return `{ ${entries.map(([key, expression]) => `${JSON.stringify(key)}: ${expression}`).join(', ')} }`;
}

function validatorModule(assets: AssetBundle): VirtualModule {
  const compiler = schemaCompiler({ code: { source: true, esm: true } });
  const schemas = Object.entries(checkedSchemas(assets));
  for (const [name, schema] of schemas) compiler.addSchema(schema, name);
  const names = Object.fromEntries(schemas.map(([name]) => [name, name]));
  return { contents: standalone.default(compiler, names), loader: 'js' };
}
