/** `istio-operator manifest diff`: how two sets of manifests differ, object by object, in whatever order they stand. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { CONTEXT_LINES, withoutNoise } from '../core/object-patch.ts';
import { printGoYaml } from '../core/yaml.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, identityOf, refOf } from '../model/object.ts';
import { EXIT, Trouble } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { nameOf, readObjects } from './manifest-files.ts';
import { coloured } from './coloured-patch.ts';

/** Prints a unified diff from one file or folder to the other. Exit code 0: none; 1: some; throws a Trouble for the rest. */
export async function manifestDiff(
  environment: CommandEnvironment,
  from: string,
  to: string,
): Promise<number> {
  try {
    const [left, right] = [
      await objectsByIdentity(environment, from),
      await objectsByIdentity(environment, to),
    ];
    const patches = [...new Set([...left.keys(), ...right.keys()])]
      .toSorted()
      .map((identity) =>
        patchOf(
          { name: nameOf(from), object: left.get(identity) },
          { name: nameOf(to), object: right.get(identity) },
        ),
      );
    const text = patches.join('');
    environment.terminal.print(coloured(environment.terminal, text));
    return text === '' ? EXIT.ok : EXIT.differences;
  } catch (error) {
    throw new Trouble(error);
  }
}

/** The last object of an identity counts, as it does for whoever applies the file. */
async function objectsByIdentity(
  environment: CommandEnvironment,
  path: string,
): Promise<ReadonlyMap<string, K8sObject>> {
  const objects = await readObjects(environment, [path]);
  return new Map(objects.map((object) => [identityOf(refOf(object)), object]));
}

interface Side {
  readonly name: string;
  readonly object: K8sObject | undefined;
}

function patchOf(from: Side, to: Side): string {
  const [before, after] = [printed(from), printed(to)];
  if (before === after) return '';
  return createTwoFilesPatch(headerOf(from), headerOf(to), before, after, undefined, undefined, {
    context: CONTEXT_LINES,
    headerOptions: FILE_HEADERS_ONLY,
  });
}

function headerOf({ name, object }: Side): string {
  return object === undefined ? '/dev/null' : `${name} ${displayRef(refOf(object))}`;
}

function printed({ object }: Side): string {
  return object === undefined ? '' : printGoYaml(withoutNoise(object));
}
