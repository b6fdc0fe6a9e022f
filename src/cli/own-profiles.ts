/** Reads the profiles that files and flags ask for beside the built-in ones. Paths are relative to where people are. */
import { basename, extname, join } from 'node:path';
import { isProfilePath, requestedProfiles } from '../core/own-profiles.ts';
import type { OwnProfile, OwnProfiles, ProfileRequest } from '../core/own-profiles.ts';
import type { PlanInput } from '../core/plan.ts';
import { failure } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { profileFilesIn, readText } from './manifest-files.ts';

type Files = Pick<CommandEnvironment, 'readText' | 'filesIn'>;

/** What the planner needs of own profiles: nothing when none are asked for. Rejects when a path cannot be read. */
export async function readOwnProfiles(
  environment: Files,
  layers: PlanInput['layers'],
  sets: readonly string[],
): Promise<Pick<PlanInput, 'ownProfiles'>> {
  const request = requestedProfiles(layers, sets);
  return request === undefined ? {} : { ownProfiles: await readRequested(environment, request) };
}

async function readRequested(environment: Files, { folder, profile }: ProfileRequest): Promise<OwnProfiles> {
  const files = folder === undefined ? [] : await filesOfFolder(environment, folder);
  const named = files.map((file) => [basename(file, extname(file)), file] as const);
  const all = isProfilePath(profile) ? [...named, [profile, profile] as const] : named;
  const read = all.map(async ([name, file]) => [name, await readProfile(environment, file)] as const);
  return new Map(await Promise.all(read));
}

async function filesOfFolder(environment: Files, folder: string): Promise<readonly string[]> {
  const files = await profileFilesIn(environment, join(folder, 'profiles'));
  if (files !== undefined && files.length > 0) return files;
  throw failure(
    'unreadableProfiles',
    `${folder} holds no profiles`,
    'Name a folder in which there are files profiles/NAME.yaml.',
  );
}

async function readProfile(environment: Files, file: string): Promise<OwnProfile> {
  const { readOwnProfile } = await import('../core/own-profile-file.ts');
  return readOwnProfile(await readText(environment, file), file);
}
