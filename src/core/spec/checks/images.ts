/** Rules about image references. */
import { at } from '../../../model/json.ts';
import { diagnose } from '../../diagnostics.ts';
import { textOf } from '../../go-values.ts';
import type { Check } from './check.ts';
import { SINGLE_ROOTS } from './entries.ts';

// A registry with an optional port, then path components, as image references have them.
const HUB = /^[a-z0-9]+([._-]+[a-z0-9]+)*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/iu;
const TAG = /^\w[\w.-]{0,127}$/u;

interface ImagePart {
  readonly path: readonly string[];
  readonly part: 'hub' | 'tag';
}

const IMAGE_PARTS: readonly ImagePart[] = [
  { path: ['hub'], part: 'hub' },
  { path: ['tag'], part: 'tag' },
  { path: ['values', 'global', 'hub'], part: 'hub' },
  { path: ['values', 'global', 'tag'], part: 'tag' },
  ...SINGLE_ROOTS.flatMap((root) => [
    { path: [...root, 'hub'], part: 'hub' } as const,
    { path: [...root, 'tag'], part: 'tag' } as const,
  ]),
];

/** Hub and tag wherever they can be set. */
export const images: Check = (spec) =>
  IMAGE_PARTS.flatMap(({ path, part }) => {
    const text = textOf(at(spec, ...path));
    if (text === '' || (part === 'hub' ? HUB : TAG).test(text)) return [];
    return [
      diagnose('invalidImage', {
        path: ['spec', ...path],
        cause: `"${text}" cannot be the ${part} of an image reference`,
        remedy:
          part === 'hub'
            ? 'Use registry/path, such as registry.istio.io/release.'
            : 'Use a tag such as 1.30.3.',
      }),
    ];
  });
