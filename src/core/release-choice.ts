/** Which release line a resource means, and which tag it gets when it names none. */
import type { Diagnostic } from '../model/diagnostic.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { at, isJsonObject, listAt } from '../model/json.ts';
import { COMPONENTS } from './components.ts';
import { diagnose } from './diagnostics.ts';
import type { FieldPath } from './field-path.ts';
import { textOf, truthy } from './go-values.ts';
import type { Release } from './releases.ts';
import { DEFAULT_RELEASE, releaseOfLine, RELEASES } from './releases.ts';
import { versionOf } from './version.ts';

/** Says which line a resource is of, whatever its tag looks like. */
export const RELEASE_LINE_ANNOTATION = 'install.istio.io/release-line';

export interface ReleaseRequest {
  /** What the user gave: a profile has no say in this. */
  readonly spec: JsonObject;
  readonly annotations: Readonly<Record<string, string>>;
  /** What is installed now, as a tag. A resource that names no tag stays on it. */
  readonly installedVersion: string | undefined;
}

export type ReleaseChoice =
  | {
      readonly kind: 'chosen';
      readonly release: Release;
      /** For a resource that names no tag. */
      readonly defaultTag: string;
      readonly warnings: readonly Diagnostic[];
    }
  | { readonly kind: 'unsupported'; readonly line: string; readonly diagnostic: Diagnostic };

interface GivenTag {
  readonly path: FieldPath;
  readonly tag: JsonValue;
  /** Undefined when the tag names no version. */
  readonly line: string | undefined;
}

/**
 * The first that says something: the annotation; the tag of the whole, then those of components; what is installed;
 * the default. A tag that names no version says nothing, and is told.
 */
export function chooseRelease(request: ReleaseRequest): ReleaseChoice {
  const tags = givenTags(request.spec);
  const named = lineOf(request, tags);
  if (named === undefined) return chosen(DEFAULT_RELEASE, { request, tags, isGuess: tags.length > 0 });
  const release = releaseOfLine(named.line);
  if (release === undefined) return { kind: 'unsupported', line: named.line, diagnostic: unsupported(named) };
  return chosen(release, { request, tags, isGuess: false });
}

interface NamedLine {
  readonly line: string;
  readonly path: FieldPath;
}

function lineOf(request: ReleaseRequest, tags: readonly GivenTag[]): NamedLine | undefined {
  const annotated = request.annotations[RELEASE_LINE_ANNOTATION];
  if (annotated !== undefined)
    return { line: annotated, path: ['metadata', 'annotations', RELEASE_LINE_ANNOTATION] };
  for (const { line, path } of tags) {
    if (line !== undefined) return { line, path };
  }
  // Only a resource that says nothing at all stays where it is: whoever gives a tag wants that tag.
  const installed = tags.length === 0 ? versionOf(request.installedVersion ?? '')?.line : undefined;
  return installed === undefined ? undefined : { line: installed, path: ['status', 'version'] };
}

const WHOLE_TAGS: readonly (readonly string[])[] = [['tag'], ['values', 'global', 'tag']];

/** The tags that a user gave, the most telling first. */
function givenTags(spec: JsonObject): readonly GivenTag[] {
  const components = COMPONENTS.flatMap(({ specKey, valuesRoot, entries }) => {
    const own = entries === 'one' ? [['components', specKey, 'tag']] : gatewayTags(spec, specKey);
    return [...own, ['values', ...valuesRoot, 'tag']];
  });
  const known = new Set<string>();
  return [...WHOLE_TAGS, ...components].flatMap((path) => {
    const tag = at(spec, ...path) ?? null;
    const key = path.join('/');
    if (!truthy(tag) || known.has(key)) return [];
    known.add(key); // the base component's own values are the globals
    return [{ path: ['spec', ...path], tag, line: lineOfTag(tag) }];
  });
}

function gatewayTags(spec: JsonObject, specKey: string): readonly (readonly (string | number)[])[] {
  return listAt(spec, 'components', specKey).flatMap((gateway, index) =>
    isJsonObject(gateway) ? [['components', specKey, index, 'tag']] : [],
  );
}

/** A number is no version: YAML reads an unquoted 1.30 as 1.3. */
function lineOfTag(tag: JsonValue): string | undefined {
  return typeof tag === 'string' ? versionOf(tag)?.line : undefined;
}

interface Grounds {
  readonly request: ReleaseRequest;
  readonly tags: readonly GivenTag[];
  /** Whether nothing named the line although there are tags. */
  readonly isGuess: boolean;
}

function chosen(release: Release, { request, tags, isGuess }: Grounds): ReleaseChoice {
  const { installedVersion = '' } = request;
  const staysInstalled = installedVersion !== '' && isOf(installedVersion, release);
  const guessed = isGuess ? tags.slice(0, 1).map((given) => withoutVersion(given, release)) : [];
  const others = tags.filter(({ line }) => line !== undefined && line !== release.line);
  return {
    kind: 'chosen',
    release,
    defaultTag: staysInstalled ? installedVersion : release.defaultTag,
    warnings: [
      ...guessed,
      ...others.map((given) => ofOtherLine(given, release)),
      ...(release.isPreview ? [preview(release)] : []),
    ],
  };
}

/** Whether a version is of the line; one that names none may be of any. */
function isOf(version: string, { line }: Release): boolean {
  return (versionOf(version)?.line ?? line) === line;
}

function withoutVersion({ path, tag }: GivenTag, { line }: Release): Diagnostic {
  const cause =
    typeof tag === 'number'
      ? `the number ${tag} is no version`
      : `"${textOf(tag)}" does not tell its version, it is taken for ${line}`;
  const remedy =
    typeof tag === 'number'
      ? 'Put the tag in quotes: YAML reads 1.30 as 1.3.'
      : `Say so with the annotation ${RELEASE_LINE_ANNOTATION}: "${line}", or name another line there.`;
  return diagnose('tagWithoutVersion', { path, cause, remedy });
}

function ofOtherLine({ path, tag }: GivenTag, { line }: Release): Diagnostic {
  return diagnose('mixedReleases', {
    path,
    cause: `"${textOf(tag)}" is not of ${line}, of which the rest is`,
    remedy: `Use an image of ${line}: objects are rendered as ${line} needs them.`,
  });
}

function preview({ line, defaultTag }: Release): Diagnostic {
  return diagnose('previewRelease', {
    path: ['spec', 'tag'],
    cause: `Istio ${line} is rendered as ${defaultTag} has it, which is not the final release`,
    remedy: `Use ${DEFAULT_RELEASE.defaultTag} where it matters.`,
  });
}

function unsupported({ line, path }: NamedLine): Diagnostic {
  const known = RELEASES.map((release) => release.line).join(', ');
  return diagnose('unsupportedRelease', {
    path,
    cause: `this operator does not install Istio ${line}`,
    remedy: `Choose a release of ${known}; for a build with another numbering, name its line in the annotation ${RELEASE_LINE_ANNOTATION}.`,
  });
}
