/** The assets as the build stores them: everything parsed, checked and compiled beforehand, so that a start is cheap. */
import type { AssetBundle, CrdsByLine, PrintedSpecs, TemplateSource } from '../model/assets.ts';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { validateWith } from './schema-errors.ts';
import type { CompiledCheck } from './schema-errors.ts';

/** Pieces that every plan needs. */
export interface BundledTrees {
  readonly defaults: Readonly<Record<string, JsonObject>>;
  readonly profiles: Readonly<Record<string, JsonObject>>;
  readonly presets: Readonly<Record<string, JsonObject>>;
  readonly files: Readonly<Record<string, string>>;
}

/** Reads JSON: V8 parses that faster than the same literals, and forgets the text afterwards. */
type ReadText = () => string;

/** What the generated module passes in. */
export interface BundledPieces {
  /** Output of `Handlebars.precompile`, by template. */
  readonly templates: Readonly<Record<string, unknown>>;
  /** A BundledTrees. */
  readonly trees: ReadText;
  readonly specSchema: ReadText;
  readonly valuesSchema: ReadText;
  /** A list of objects. */
  readonly deployment: ReadText;
  /** A list of objects. */
  readonly revisionRights: ReadText;
  /** A list of definitions for each release line. */
  readonly crds: Readonly<Record<string, ReadText>>;
  /** For each release line what loads the printed `spec` of each of its definitions. */
  readonly crdSpecs: Readonly<Record<string, () => Promise<readonly string[]>>>;
  readonly validateSpec: CompiledCheck;
  readonly validateValues: CompiledCheck;
}

/** Puts the pieces together. Schemas and definitions are read when they are first asked for. */
export function bundledAssets(pieces: BundledPieces): AssetBundle {
  // Unchecked casts: the build wrote these texts, from assets that it had checked.
  const trees = JSON.parse(pieces.trees()) as BundledTrees;
  const specSchema = once(() => JSON.parse(pieces.specSchema()) as JsonObject);
  const deployment = once(() => JSON.parse(pieces.deployment()) as readonly K8sObject[]);
  const revisionRights = once(() => JSON.parse(pieces.revisionRights()) as readonly K8sObject[]);
  const valuesSchema = once(() => JSON.parse(pieces.valuesSchema()) as JsonObject);
  const crds = crdsByLine(pieces.crds);
  return {
    templates: new Map(Object.entries(pieces.templates).map(([name, spec]) => [name, precompiled(spec)])),
    defaults: new Map(Object.entries(trees.defaults)),
    profiles: new Map(Object.entries(trees.profiles)),
    presets: new Map(Object.entries(trees.presets)),
    files: new Map(Object.entries(trees.files)),
    get deployment() {
      return deployment();
    },
    get revisionRights() {
      return revisionRights();
    },
    get specSchema() {
      return specSchema();
    },
    get valuesSchema() {
      return valuesSchema();
    },
    validateSpec: validateWith(pieces.validateSpec),
    validateValues: validateWith(pieces.validateValues),
    crds,
    printedSpecs: async (line) => printedSpecs((await pieces.crdSpecs[line]?.()) ?? [], crds.get(line) ?? []),
  };
}

function precompiled(spec: unknown): TemplateSource {
  return { kind: 'precompiled', spec };
}

function crdsByLine(texts: Readonly<Record<string, ReadText>>): CrdsByLine {
  const lines = new Map(
    Object.entries(texts).map(([line, read]) => [
      line,
      once(() => JSON.parse(read()) as readonly K8sObject[]),
    ]),
  );
  return { get: (line) => lines.get(line)?.(), has: (line) => lines.has(line), keys: () => lines.keys() };
}

/** By identity of the schema: whoever changes one gets another object. */
function printedSpecs(texts: readonly string[], definitions: readonly K8sObject[]): PrintedSpecs {
  const printed = new Map(definitions.map(({ spec }, index) => [spec, texts[index]]));
  return (object) => printed.get(object['spec']);
}

function once<T>(compute: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: compute() }).value;
}
