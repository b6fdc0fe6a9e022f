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

/** Modules that exist only in the bundle, by what writes them. The second part of a name tells it for which release line. */
const VIRTUAL = { 'compiled-validators': validatorModule, 'printed-definitions': printedModule } as const;
const VIRTUAL_NAMES = new RegExp(`^(${Object.keys(VIRTUAL).join('|')})(?:/|$)`);

/** Lets esbuild load the assets from a module that needs no files, no parser and no compiler. */
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
        contents: virtualModule(path, assets),
        loader: 'js',
        resolveDir: (pluginData as { readonly resolveDir: string }).resolveDir, // from onResolve above
      }));
    },
  };
}

function virtualModule(path: string, assets: AssetBundle): string {
  const [name, line = ''] = path.split('/');
  return VIRTUAL[name as keyof typeof VIRTUAL](assets, line); // the filter above lets only these pass
}

function assetModule(assets: AssetBundle): string {
  const pieces = Object.entries(expressionsOf(assets)).map(([name, expression]) => `${name}: ${expression}`);
  return [
    `import { bundledAssets } from './bundled.ts';`,
    `import { validateSpec, validateValues } from 'compiled-validators';`,
    `const pieces = { ${pieces.join(', ')} };`,
    'export const readAssets = async () => bundledAssets(pieces);',
  ].join('\n');
}

function expressionsOf(assets: AssetBundle): Expressions {
  const crds = [...assets.crds.keys()].map((line) => [line, JSON.stringify(assets.crds.get(line))]);
  return {
    templates: objectOf([...assets.templates].map(([name, source]) => [name, precompiled(name, source)])),
    trees: textOf(treesOf(assets)),
    deployment: textOf(assets.deployment),
    revisionRights: textOf(assets.revisionRights),
    specSchema: textOf(assets.specSchema),
    valuesSchema: textOf(assets.valuesSchema),
    crds: JSON.stringify(Object.fromEntries(crds)),
    // Modules of their own: only commands that print need one.
    crdSpecs: objectOf(
      [...assets.crds.keys()].map((line) => [
        line,
        `async () => (await import('printed-definitions/${line}')).default`,
      ]),
    ),
    validateSpec: 'validateSpec',
    validateValues: 'validateValues',
  };
}

function printedModule(assets: AssetBundle, line: string): string {
  const printed = (assets.crds.get(line) ?? []).map(({ spec = null }) => printYaml({ spec }));
  return `export default ${JSON.stringify(printed)};`;
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

/** A string literal that holds the value as JSON. */
function textOf(value: unknown): string {
  return JSON.stringify(JSON.stringify(value));
}

function validatorModule(assets: AssetBundle): string {
  const compiler = schemaCompiler({ code: { source: true, esm: true } });
  const schemas = Object.entries(checkedSchemas(assets));
  for (const [name, schema] of schemas) compiler.addSchema(schema, name);
  return standalone.default(compiler, Object.fromEntries(schemas.map(([name]) => [name, name])));
}
