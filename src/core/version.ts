/** Versions of Istio as tags name them: `1.30.3`, `1.30`, `1.31.0-rc.0`, or a custom build such as `1.30.3-acme`. */

export interface Version {
  /** `major.minor`. */
  readonly line: string;
  /** Absent when the tag names only the line. What follows the numbers does not count: builds of one patch are equal. */
  readonly patch?: number;
}

const VERSION = /^(\d+)\.(\d+)(?:\.(\d+))?(?:[-_.].*)?$/u;

/** The version at the start of a tag; undefined when the tag names none, such as `latest`. */
export function versionOf(tag: string): Version | undefined {
  const [, major, minor, patch] = VERSION.exec(tag) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const line = `${major}.${minor}`;
  return patch === undefined ? { line } : { line, patch: Number(patch) };
}

/** Negative when the first line is older, positive when it is newer. */
export function compareLines(left: string, right: string): number {
  const [leftMajor, leftMinor] = numbersOf(left);
  const [rightMajor, rightMinor] = numbersOf(right);
  return leftMajor === rightMajor ? leftMinor - rightMinor : leftMajor - rightMajor;
}

/** Major and minor number of a line. */
export function numbersOf(line: string): readonly [number, number] {
  const [major, minor] = line.split('.').map(Number);
  return [major ?? Number.NaN, minor ?? Number.NaN];
}
