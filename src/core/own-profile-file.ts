/** A file with a profile of the user's own. Apart from the rest, because the parser takes long to load. */
import { diagnose } from './diagnostics.ts';
import { readResources } from './spec/documents.ts';
import type { OwnProfile } from './own-profiles.ts';

/** Reads a profile: a file with exactly one IstioOperator. `path` is what a person calls the file. */
export function readOwnProfile(text: string, path: string): OwnProfile {
  const read = readResources(text, path);
  if (read.kind === 'invalid') return read;
  const [layer, second] = read.resources;
  if (layer !== undefined && second === undefined) return { kind: 'read', layer };
  const name = layer === undefined ? 'notAnIstioOperator' : 'severalResources';
  const cause = `${path} holds ${layer === undefined ? 'no IstioOperator' : 'several IstioOperators'}`;
  const remedy = 'A profile is a file with one IstioOperator.';
  return { kind: 'invalid', diagnostics: [diagnose(name, { path: [], cause, remedy })] };
}
