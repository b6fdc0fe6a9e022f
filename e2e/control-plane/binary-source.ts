/** What every way to get a program has in common. */
import { chmod, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from './programs.ts';

/** A program that a source could not provide, and why. */
export interface Shortfall {
  readonly program: Program;
  readonly reason: string;
}

export interface BinarySource {
  /** How the source is called in an error message, such as `download`. */
  readonly name: string;
  /**
   * Installs into a folder what it can of the missing programs, each atomically under its own name, and tells what it
   * could not. Rejects only for faults of this machine, such as a full disk.
   */
  install(missing: readonly Program[], folder: string): Promise<readonly Shortfall[]>;
}

/** Marks files that are being made; what carries it after a crash is rubbish. */
export const PARTIAL_SUFFIX = '.partial';

/** Lets `produce` make the program under a temporary name and moves it in place when that succeeds. */
export async function installAtomically(
  folder: string,
  program: Program,
  produce: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const temporaryPath = join(folder, `${program}.${process.pid}${PARTIAL_SUFFIX}`);
  try {
    await produce(temporaryPath);
    await chmod(temporaryPath, 0o755);
    await rename(temporaryPath, join(folder, program));
  } finally {
    await rm(temporaryPath, { force: true });
  }
}
