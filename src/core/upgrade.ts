/** Whether what is installed may become another version in place: as Istio itself is tested, one minor at a time. */
import type { Diagnostic } from '../model/diagnostic.ts';
import { diagnose } from './diagnostics.ts';
import type { Version } from './version.ts';
import { numbersOf, versionOf } from './version.ts';

/** The user's word that a skip or a downgrade is wanted all the same, for as long as it is "true". */
export const VERSION_SKIP_ANNOTATION = 'install.istio.io/allow-version-skip';

export interface UpgradeRequest {
  /** What was fully installed last; absent for a fresh resource. */
  readonly installed: string | undefined;
  readonly wanted: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export type UpgradeVerdict =
  { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly diagnostic: Diagnostic };

/**
 * Allows patches and the next minor. A reverted tag is allowed too while the new version was never fully installed,
 * since then nothing changes. Tags that name no version cannot be compared, and are allowed.
 */
export function judgeUpgrade({ installed, wanted, annotations }: UpgradeRequest): UpgradeVerdict {
  const from = versionOf(installed ?? '');
  const to = versionOf(wanted);
  if (from === undefined || to === undefined) return ALLOWED;
  if (annotations[VERSION_SKIP_ANNOTATION] === 'true') return ALLOWED;
  const cause = objectionTo(from, to);
  if (cause === undefined) return ALLOWED;
  const remedy = `${cause.remedy} Or annotate the resource with ${VERSION_SKIP_ANNOTATION}: "true".`;
  const text = `${installed} is installed, and ${wanted} ${cause.what}`;
  return {
    kind: 'refused',
    diagnostic: diagnose('upgradeRefused', { path: ['spec', 'tag'], cause: text, remedy }),
  };
}

const ALLOWED: UpgradeVerdict = { kind: 'allowed' };

interface Objection {
  readonly what: string;
  readonly remedy: string;
}

function objectionTo(from: Version, to: Version): Objection | undefined {
  const [fromMajor, fromMinor] = numbersOf(from.line);
  const [toMajor, toMinor] = numbersOf(to.line);
  const minors = (toMajor - fromMajor) * 1000 + toMinor - fromMinor; // no major has that many minors
  if (minors > 1)
    return { what: 'skips a minor version', remedy: `Go to ${fromMajor}.${fromMinor + 1} first.` };
  if (minors < 0 || (minors === 0 && isOlderPatch(to, from)))
    return { what: 'is older', remedy: 'Set the tag to what is installed, or to a newer version.' };
  return undefined;
}

/** A tag that names only the line may be any patch of it. */
function isOlderPatch({ patch: left }: Version, { patch: right }: Version): boolean {
  return left !== undefined && right !== undefined && left < right;
}
