/** Reading what users write: YAML files with IstioOperator resources, with the line and column of everything in them. */
import type { Document, Node, Scalar, ScalarTag } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Diagnostic, Position } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { isJsonObject, stringAt } from '../../model/json.ts';
import { stringMap } from '../../model/object.ts';
import { diagnose } from '../diagnostics.ts';
import type { FieldPath } from '../field-path.ts';
import { printPath } from '../field-path.ts';
import type { SpecLayer } from './layer.ts';

/** The API server accepts no larger object; a larger file is a mistake. */
const MAX_CHARACTERS = 1_048_576;
/** An honest file refers to its anchors a few times; more is an attempt to exhaust memory. */
const MAX_ALIASES = 100;

export interface NamedResource extends SpecLayer {
  /** `metadata.name`, when the file gives one. */
  readonly name?: string;
  readonly namespace?: string;
  /** All of `metadata`, as it stands in the file. */
  readonly metadata?: JsonObject;
  /** `status.version`, when the file was read from a cluster. */
  readonly installedVersion?: string;
  /** Entries of `metadata.annotations` that are texts. */
  readonly annotations: Readonly<Record<string, string>>;
}

export type ReadResources =
  | { readonly kind: 'read'; readonly resources: readonly NamedResource[] }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

type ParsedDocument = Document.Parsed;

/** Reads all IstioOperators of a file. Empty documents are skipped; documents of other kinds are told. */
export function readResources(text: string, file: string): ReadResources {
  const lines = new LineCounter();
  const source: Source = { file, lines };
  if (text.length > MAX_CHARACTERS) return invalid([tooLarge(source)]);
  const documents = parsedDocuments(text, lines);
  const broken = documents.flatMap((document) => document.errors.map((error) => syntaxError(error, source)));
  if (broken.length > 0) return invalid(broken);
  const read = documents.map((document) => readDocument(document, source));
  const diagnostics = read.flatMap((result) => (result.kind === 'invalid' ? result.diagnostics : []));
  if (diagnostics.length > 0) return invalid(diagnostics);
  return {
    kind: 'read',
    resources: read.flatMap((result) => (result.kind === 'read' ? result.resources : [])),
  };
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
}

/** kubectl reads YAML 1.1: these words are booleans and a leading zero means octal. Times and dates stay texts. */
const KUBECTL_TAGS: readonly ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:bool',
    default: true,
    test: /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/u,
    resolve: (text: string) => /^(?:y|on)/iu.test(text),
  },
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: /^[-+]?0[0-7]+$/u,
    resolve: (text: string) => Number.parseInt(text, 8),
  },
];

function parsedDocuments(text: string, lineCounter: LineCounter): readonly ParsedDocument[] {
  const parsed = parseAllDocuments(text, {
    lineCounter,
    merge: true,
    uniqueKeys: true,
    customTags: (tags) => [...KUBECTL_TAGS, ...tags],
  });
  return 'empty' in parsed ? [] : parsed;
}

function readDocument(document: ParsedDocument, source: Source): ReadResources {
  const position = positionOf(document.contents, source);
  const tree = plainTree(document);
  if (tree === undefined) {
    const cause = `it refers to its anchors more than ${MAX_ALIASES} times`;
    return invalid([
      diagnose('documentTooLarge', { path: [], position, cause, remedy: 'Write the values out.' }),
    ]);
  }
  // Separators with nothing but comments between them.
  if (tree === null) return { kind: 'read', resources: [] };
  if (!isJsonObject(tree) || (tree['kind'] ?? 'IstioOperator') !== 'IstioOperator') {
    return invalid([notAnIstioOperator(tree, position)]);
  }
  const { metadata } = tree;
  const installedVersion = stringAt(tree, 'status', 'version');
  const name = stringAt(metadata, 'name');
  const namespace = stringAt(metadata, 'namespace');
  const resource: NamedResource = {
    spec: tree['spec'],
    source: source.file,
    locate: locator(document, source),
    annotations: stringMap(isJsonObject(metadata) ? metadata['annotations'] : undefined),
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(isJsonObject(metadata) ? { metadata } : {}),
    ...(installedVersion === undefined ? {} : { installedVersion }),
  };
  return { kind: 'read', resources: [resource] };
}

/** The document as plain values; undefined when it expands to far more than it says. */
function plainTree(document: ParsedDocument): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

function notAnIstioOperator(tree: unknown, position: Position): Diagnostic {
  const kind = isJsonObject(tree) ? tree['kind'] : undefined;
  return diagnose('notAnIstioOperator', {
    path: [],
    position,
    cause: typeof kind === 'string' ? `this is a ${kind}` : 'this is not a map with kind and spec',
    remedy: 'Give files with kind: IstioOperator; apply other objects with kubectl.',
  });
}

function syntaxError(error: ParsedDocument['errors'][number], { file }: Source): Diagnostic {
  const [start] = error.linePos ?? [];
  const position = { file, line: start?.line ?? 1, column: start?.col ?? 1 };
  const [cause = 'it is not YAML'] = error.message.replace(/ at line \d+, column \d+:/u, '').split('\n');
  return diagnose('invalidYaml', { path: [], position, cause, remedy: 'Correct the file at this place.' });
}

function tooLarge({ file }: Source): Diagnostic {
  return diagnose('documentTooLarge', {
    path: [],
    position: { file, line: 1, column: 1 },
    cause: `the file has more than ${MAX_CHARACTERS} characters`,
    remedy: 'An IstioOperator fits into a few hundred lines: give the right file.',
  });
}

function invalid(diagnostics: readonly Diagnostic[]): ReadResources {
  return { kind: 'invalid', diagnostics };
}

function positionOf(node: Node | null, { file, lines }: Source): Position {
  const { line, col } = lines.linePos(node?.range?.[0] ?? 0);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** Finds printed paths in the document. The index is made when the first one is asked for: most files are right. */
function locator(document: ParsedDocument, source: Source): (path: string) => Position | undefined {
  let index: ReadonlyMap<string, Position> | undefined;
  return (path) => {
    index ??= new Map(positionsIn(document.contents, [], source));
    for (let place = path; place !== ''; place = parentOf(place)) {
      const position = index.get(place);
      if (position !== undefined) return position;
    }
    return undefined;
  };
}

/** A path without its last step; empty for a path of one step, and where the step cannot be told. */
function parentOf(path: string): string {
  const parent = path.replace(/(?:^|\.)[^.[\]]+$|\[[^[\]]*\]$/u, '');
  return parent === path ? '' : parent;
}

/** The place of each key and list element; for a key, where the key itself stands. */
function positionsIn(
  node: Node | null,
  path: FieldPath,
  source: Source,
): readonly (readonly [string, Position])[] {
  if (isMap(node)) {
    return node.items.flatMap(({ key, value }) => {
      if (!isScalar(key)) return [];
      const step = [...path, textOfKey(key)];
      const own = [printPath(step), positionOf(key, source)] as const;
      return [own, ...positionsIn(asNode(value), step, source)];
    });
  }
  if (!isSeq(node)) return [];
  return node.items.flatMap((item, index) => {
    const step = [...path, index];
    return [
      [printPath(step), positionOf(asNode(item), source)] as const,
      ...positionsIn(asNode(item), step, source),
    ];
  });
}

function textOfKey(key: Scalar): string {
  return String(key.value);
}

/** What a parsed collection holds; aliases are not followed, their anchor has the place. */
function asNode(value: unknown): Node | null {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value) ? value : null;
}
