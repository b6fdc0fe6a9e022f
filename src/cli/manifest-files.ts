/** Files that people name on the command line. */
import type { ReadManifests } from '../core/manifests.ts';
import type { K8sObject } from '../model/object.ts';
import { CommandError, failure } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';

type Files = Pick<CommandEnvironment, 'readText' | 'filesIn'>;

/** The text of a file, or of standard input for `-`. Rejects with a CommandError that names the file. */
export async function readText({ readText: read }: Pick<Files, 'readText'>, file: string): Promise<string> {
  return told(file, read(file));
}

/** The objects of several files and folders, in their order. Only YAML and JSON files of a folder are read. */
export async function readObjects(
  environment: Files,
  paths: readonly string[],
): Promise<readonly K8sObject[]> {
  const { readManifests } = await import('../core/manifests.ts');
  const read: ReadManifests[] = [];
  for (const path of paths) {
    const files = (await told(path, environment.filesIn(path)))?.filter(isManifest) ?? [path];
    for (const file of files) read.push(readManifests(await readText(environment, file), nameOf(file)));
  }
  const diagnostics = read.flatMap((each) => (each.kind === 'invalid' ? each.diagnostics : []));
  if (diagnostics.length > 0) throw new CommandError(diagnostics);
  return read.flatMap((each) => (each.kind === 'read' ? each.objects : []));
}

/** The YAML files directly in a folder; undefined when it is a file. Rejects when there is nothing at the path. */
export async function profileFilesIn(
  { filesIn }: Pick<Files, 'filesIn'>,
  folder: string,
): Promise<readonly string[] | undefined> {
  return (await told(folder, filesIn(folder)))?.filter((file) => /\.ya?ml$/u.test(file));
}

/** What a person calls a file. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function isManifest(file: string): boolean {
  return /\.(?:ya?ml|json)$/u.test(file);
}

async function told<T>(file: string, attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw failure('unreadableFile', `cannot read ${file}: ${cause}`, 'Check the path and its permissions.');
  }
}
