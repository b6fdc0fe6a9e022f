/** Own profiles of the in-cluster operator. All are read at the start, so that no resource can make it read a file. */
import { normalize } from 'node:path';
import { AssetError } from './assets/asset-files.ts';
import type { ProfileFolders } from './assets/profile-folders.ts';
import { readProfileFolders } from './assets/profile-folders.ts';
import { failure } from './cli/command-error.ts';
import { readOwnProfile } from './core/own-profile-file.ts';
import type { OwnProfile, OwnProfiles, ProfileRequest } from './core/own-profiles.ts';
import { isProfilePath } from './core/own-profiles.ts';

/** Finds what a resource asks for; undefined when it was not there at the start. */
export type FindProfiles = (request: ProfileRequest) => OwnProfiles | undefined;

/** Reads everything below the root; without one there is nothing to be found. Rejects with a CommandError. */
export async function mountedProfiles(root: string | undefined): Promise<FindProfiles> {
  if (root === undefined) return () => undefined;
  return finder(await read(root));
}

async function read(root: string): Promise<ProfileFolders> {
  try {
    return await readProfileFolders(root);
  } catch (error) {
    if (!(error instanceof AssetError)) throw error;
    throw failure('unreadableProfiles', error.message, 'Check the folder that --profiles-dir names.');
  }
}

function finder(folders: ProfileFolders): FindProfiles {
  const files = [...folders].flatMap(([folder, entries]) => entries.map((file) => ({ ...file, folder })));
  const profiles = files.map((file) => ({ ...file, profile: readOwnProfile(file.text, file.path) }));
  return ({ folder, profile }) => {
    const wanted = folder === undefined ? undefined : pathOf(folder);
    const offered = profiles.filter((file) => file.folder === wanted);
    const named = isProfilePath(profile) ? profiles.find(({ path }) => path === pathOf(profile)) : undefined;
    if (wanted === undefined ? named === undefined : offered.length === 0) return undefined;
    const all: (readonly [string, OwnProfile])[] = offered.map((file) => [file.name, file.profile]);
    return new Map(named === undefined ? all : [...all, [profile, named.profile]]);
  };
}

/** A spelling of the path that can be compared. */
function pathOf(path: string): string {
  return normalize(path).replace(/(?<=.)\/+$/u, '');
}
