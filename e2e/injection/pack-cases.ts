/**
 * Packs a folder of cases into the project's form: one JSON object a line, settings as what differs from the defaults,
 * and expected objects as what differs from those of an earlier case.
 * `node e2e/injection/pack-cases.ts FOLDER > e2e/injection/cases/cases.jsonl`
 */
import type { InjectionCase, PackedCase } from './cases.ts';
import { readCaseFolder } from './cases.ts';
import type { Change } from './delta.ts';
import { deltaOf } from './delta.ts';

interface Candidate {
  readonly like: string;
  readonly but: readonly Change[];
  readonly size: number;
}

function packed(given: InjectionCase, earlier: readonly InjectionCase[]): PackedCase {
  const { expected, ...settings } = given;
  if (expected === undefined) return settings;
  const candidates = earlier.flatMap(({ name, expected: model }): readonly Candidate[] => {
    if (model === undefined) return [];
    const but = deltaOf(model, expected);
    return [{ like: name, but, size: JSON.stringify(but).length }];
  });
  const [nearest] = candidates.toSorted((left, right) => left.size - right.size);
  if (nearest === undefined || nearest.size >= JSON.stringify(expected).length) return given;
  return { ...settings, like: nearest.like, but: nearest.but };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node e2e/injection/pack-cases.ts FOLDER');
  process.exitCode = 2;
} else {
  const all = readCaseFolder(folder);
  for (const [index, given] of all.entries()) console.log(JSON.stringify(packed(given, all.slice(0, index))));
}
