/** Profiles of the user's own: a folder that `installPackagePath` names, or a file that `profile` names. */
import type { AssetBundle } from '../model/assets.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import { diagnose } from './diagnostics.ts';
import { textOf } from './go-values.ts';
import { userSpecOf } from './profile/merge-spec.ts';
import { parseSetFlags } from './profile/set-flags.ts';
import type { SpecLayer } from './spec/layer.ts';
import type { ReadLayer } from './spec/validate.ts';
import { validateLayers } from './spec/validate.ts';

/** What a user's layers and flags ask for beyond the built-in profiles. Paths are as the user wrote them. */
export interface ProfileRequest {
  /** The folder; its profiles are the files `profiles/NAME.yaml`. */
  readonly folder?: string;
  /** The chosen profile: a name, or the path of a file. */
  readonly profile: string;
}

/** A profile as it was read, or why it could not be: that counts only when the profile is used. */
export type OwnProfile =
  | { readonly kind: 'read'; readonly layer: SpecLayer }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

/** Profiles by name; one that was asked for by the path of its file, by that path. */
export type OwnProfiles = ReadonlyMap<string, OwnProfile>;

const ASKING: readonly string[] = ['profile', 'installPackagePath'];

/** Tells what has to be read before planning; undefined when the built-in profiles are enough. */
export function requestedProfiles(
  layers: readonly Pick<SpecLayer, 'spec'>[],
  sets: readonly string[] = [],
): ProfileRequest | undefined {
  // Nothing else is looked at: the layers may not have been checked yet.
  const specs = layers.flatMap(({ spec }) => (isJsonObject(spec) ? [askingPart(spec)] : []));
  const asked = userSpecOf(specs, parseSetFlags(sets).flags);
  const [profile, folder] = ASKING.map((key) => (typeof asked[key] === 'string' ? asked[key] : ''));
  const chosen = textOf(profile ?? '') === '' ? 'default' : textOf(profile ?? '');
  if (folder !== undefined && folder !== '') return { folder, profile: chosen };
  return isProfilePath(chosen) ? { profile: chosen } : undefined;
}

function askingPart(spec: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([key]) => ASKING.includes(key)));
}

/** Tells a path from a name as the operator of 1.23 did: no profile has a slash or a dot in its name. */
export function isProfilePath(profile: string): boolean {
  return /[./]/u.test(profile);
}

export type ChosenProfiles =
  | {
      readonly kind: 'chosen';
      /** All that can be chosen. */
      readonly profiles: AssetBundle['profiles'];
      /** Those of the user's own that lie below this installation, weakest first. */
      readonly layers: readonly ReadLayer[];
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

/**
 * The profiles of one plan. A folder takes the place of the built-in ones but for `default`, below which there is
 * nothing: a folder need not bring its own. Only those that are used are checked, as all that users write.
 */
export function chooseProfiles(
  assets: AssetBundle,
  request: ProfileRequest | undefined,
  own: OwnProfiles | undefined,
): ChosenProfiles {
  const builtIn = assets.profiles;
  if (request === undefined) return { kind: 'chosen', profiles: builtIn, layers: [], diagnostics: [] };
  if (own === undefined) return { kind: 'invalid', diagnostics: [outOfReach(request)] };
  const used = [...new Set(['default', request.profile])].flatMap((name) => own.get(name) ?? []);
  const checked = validateLayers(
    assets,
    used.flatMap((profile) => (profile.kind === 'read' ? [profile.layer] : [])),
  );
  const unreadable = used.flatMap((profile) => (profile.kind === 'invalid' ? profile.diagnostics : []));
  const diagnostics = [...unreadable, ...checked.diagnostics, ...checked.layers.flatMap(ignoredIn)];
  if (checked.layers.length < used.length) return { kind: 'invalid', diagnostics };
  const names = request.folder === undefined ? [...builtIn.keys()] : ['default', ...own.keys()];
  const specs = names.map((name) => [name, builtIn.get(name) ?? {}] as const);
  const read = checked.layers.map(({ spec, source }) => [nameOf(source, own), spec] as const);
  return { kind: 'chosen', profiles: new Map([...specs, ...read]), layers: checked.layers, diagnostics };
}

/** The name under which a layer was found by its place. */
function nameOf(source: string, own: OwnProfiles): string {
  const found = [...own].find(([, profile]) => profile.kind === 'read' && profile.layer.source === source);
  return found?.[0] ?? source;
}

function outOfReach({ folder, profile }: ProfileRequest): Diagnostic {
  return diagnose('profilesOutOfReach', {
    path: ['spec', folder === undefined ? 'profile' : 'installPackagePath'],
    cause: `there are no profiles to be had from ${JSON.stringify(folder ?? profile)}`,
    remedy:
      'Start the operator with --profiles-dir and put the folder below that one (profiles are read when it starts), ' +
      'or write what the profile sets into the resource.',
  });
}

/** Fields that a profile cannot set, by what to do about them. */
const NOT_FOR_PROFILES: Readonly<Record<string, string>> = {
  hub: 'Set it in the resource.',
  tag: 'Set it in the resource.',
  profile: 'Every profile lies over "default" alone: copy what the other one sets.',
  installPackagePath: 'Set it in the resource.',
};

/** Warns of what a profile says and nobody reads, as with Istio's own installer. */
function ignoredIn({ spec, locate }: ReadLayer): readonly Diagnostic[] {
  return Object.entries(NOT_FOR_PROFILES)
    .filter(([field]) => (spec[field] ?? null) !== null)
    .map(([field, remedy]) => {
      const position = locate?.(`spec.${field}`);
      return diagnose('ignoredSetting', {
        path: ['spec', field],
        cause: `${field} has no effect in a profile`,
        remedy,
        ...(position === undefined ? {} : { position }),
      });
    });
}
