/** Whether istiods of other clusters may read this one; base and istiod each render a part of what that takes. */
import type { Release } from '../releases.ts';
import type { ValuesReader } from './reader.ts';

/** Only the boolean counts, as upstream has it. */
export function isReadable(v: ValuesReader, { features }: Release): boolean {
  return !features.has('optionalReader') || v.any('global', 'enableReaderRBAC') !== false;
}
