/**
 * Makes the texts that istiod executes from the files of templates/injection/files. A line of its own
 *
 *     {{/* include "parts/env/agent" *\/}}
 *
 * is replaced by the lines of that file, shifted to where the directive stands; other comments on lines of their own
 * are left out, so that they cost nothing in the cluster. Everything else is Go's text/template and is not looked at.
 */

const FOLDER = 'injection/files/';
const ENDING = '.yaml.gotmpl';

export interface ComposedTemplate {
  readonly name: string;
  readonly text: string;
  /** For each line of the text, where it stands in the repository, such as `templates/injection/files/a.yaml.gotmpl:3`. */
  readonly origins: readonly string[];
}

/** A mistake in how the files are put together. */
export interface CompositionFault {
  /** File and line in the repository. */
  readonly place: string;
  readonly message: string;
}

export type Composition =
  | {
      readonly kind: 'composed';
      /** In order of their names. */
      readonly templates: readonly ComposedTemplate[];
      /** Files that no template includes. */
      readonly unused: readonly string[];
    }
  | { readonly kind: 'faulty'; readonly faults: readonly CompositionFault[] };

/**
 * Composes the injection templates among the files of an AssetBundle: text by name of the template. Every file that
 * stands directly in injection/files is a template, those in its folders are parts. Throws when the files don't fit
 * together, since they ship with the operator.
 */
export function composeInjectionTemplates(
  files: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  const composition = composeWithOrigins(files);
  if (composition.kind === 'faulty') {
    const lines = composition.faults.map(({ place, message }) => `${place}: ${message}`);
    throw new Error(`the injection templates cannot be composed\n${lines.join('\n')}`);
  }
  return Object.fromEntries(composition.templates.map(({ name, text }) => [name, text]));
}

/** As composeInjectionTemplates, and tells for each line where it comes from, or everything that is wrong. */
export function composeWithOrigins(files: ReadonlyMap<string, string>): Composition {
  const sources = readSources(files);
  const faults: CompositionFault[] = [];
  const included = new Set<string>();
  const templates = [...sources.keys()]
    .filter((name) => !name.includes('/'))
    .toSorted()
    .map((name) => composeOne(name, { sources, faults, included }));
  const unused = [...sources.keys()].filter((name) => name.includes('/') && !included.has(name)).toSorted();
  return faults.length > 0
    ? { kind: 'faulty', faults: distinct(faults) }
    : { kind: 'composed', templates, unused };
}

interface SourceLine {
  readonly text: string;
  readonly place: string;
}

interface Workshop {
  readonly sources: ReadonlyMap<string, readonly SourceLine[]>;
  readonly faults: CompositionFault[];
  readonly included: Set<string>;
}

function readSources(files: ReadonlyMap<string, string>): ReadonlyMap<string, readonly SourceLine[]> {
  const sources = [...files]
    .filter(([path]) => path.startsWith(FOLDER) && path.endsWith(ENDING))
    .map(([path, text]): [string, SourceLine[]] => [
      path.slice(FOLDER.length, -ENDING.length),
      linesOf(path, text),
    ]);
  return new Map(sources);
}

function linesOf(path: string, text: string): SourceLine[] {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map((line, index) => ({ text: line, place: `templates/${path}:${index + 1}` }));
}

function composeOne(name: string, workshop: Workshop): ComposedTemplate {
  const lines = expand(name, [name], workshop);
  return {
    name,
    text: lines.map((line) => `${line.text}\n`).join(''),
    origins: lines.map((line) => line.place),
  };
}

const COMMENT_START = /^\s*\{\{\/\*/;
const COMMENT_END = /\*\/\}\}\s*$/;
const INCLUDE = /^(\s*)\{\{\/\* include "([^"]+)" \*\/\}\}\s*$/;
/** What somebody meant as a directive, but would be taken for a comment. */
const ALMOST_INCLUDE = /\{\{-?\s*\/\*\s*include\b/;

/** The lines of a file with everything it includes. `trail` is the way from the template to this file. */
function expand(name: string, trail: readonly string[], workshop: Workshop): SourceLine[] {
  const lines = withoutComments(workshop.sources.get(name) ?? [], workshop);
  return lines.flatMap((line) => {
    const [, indentation, part] = INCLUDE.exec(line.text) ?? [];
    if (indentation === undefined || part === undefined) return [checked(line, workshop)];
    return include(line, { indentation, part, trail }, workshop);
  });
}

interface Directive {
  readonly indentation: string;
  readonly part: string;
  readonly trail: readonly string[];
}

function include(
  line: SourceLine,
  { indentation, part, trail }: Directive,
  workshop: Workshop,
): SourceLine[] {
  const fault = faultOf(part, trail, workshop);
  if (fault !== undefined) {
    workshop.faults.push({ place: line.place, message: fault });
    return [];
  }
  workshop.included.add(part);
  return expand(part, [...trail, part], workshop).map(({ text, place }) => ({
    text: text === '' ? '' : indentation + text,
    place,
  }));
}

function faultOf(part: string, trail: readonly string[], { sources }: Workshop): string | undefined {
  if (!sources.has(part)) return `there is no ${FOLDER}${part}${ENDING} to include`;
  if (trail.includes(part)) return `${[...trail, part].join(' includes ')}: that never ends`;
  if (!part.includes('/')) return `${part} is a template; only files in folders can be included`;
  return undefined;
}

function checked(line: SourceLine, { faults }: Workshop): SourceLine {
  if (ALMOST_INCLUDE.test(line.text)) {
    faults.push({
      place: line.place,
      message: 'an include is written {{/* include "parts/name" */}}, on a line of its own',
    });
  }
  return line;
}

/** Leaves out comments that begin and end with a line. Go would leave the blank line behind, which YAML ignores. */
function withoutComments(lines: readonly SourceLine[], { faults }: Workshop): SourceLine[] {
  const kept: SourceLine[] = [];
  let opened: SourceLine | undefined;
  for (const line of lines) {
    const starts = opened === undefined && COMMENT_START.test(line.text) && !ALMOST_INCLUDE.test(line.text);
    if (starts) opened = line;
    if (opened === undefined) kept.push(line);
    else if (COMMENT_END.test(line.text)) opened = undefined;
  }
  if (opened !== undefined) faults.push({ place: opened.place, message: 'this comment has no end' });
  return kept;
}

/** A part that several templates include brings its faults several times. */
function distinct(faults: readonly CompositionFault[]): readonly CompositionFault[] {
  const seen = new Map(faults.map((fault) => [`${fault.place}: ${fault.message}`, fault]));
  return [...seen.values()];
}
