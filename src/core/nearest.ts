/** "Did you mean …?" */
import { closestMatch } from 'leven';

/** The candidate that a typing mistake most likely meant; undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const sameLetters = candidates.find((candidate) => candidate.toLowerCase() === lower);
  if (sameLetters !== undefined) return sameLetters;
  // Two letters may be swapped; more than a third of them wrong is another word, and so is none of them right.
  const maxDistance = Math.min(word.length - 1, Math.max(2, Math.floor(word.length / 3)));
  return closestMatch(word, candidates, { maxDistance });
}
