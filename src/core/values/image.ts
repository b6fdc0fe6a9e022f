/** How image references are put together. */
import type { JsonValue } from '../../model/json.ts';
import { textOf, truthy } from '../go-values.ts';

export interface ImageParts {
  readonly hub: JsonValue;
  /** A name with a slash is a complete reference: hub, tag and variant are then ignored. */
  readonly image: string;
  readonly tag: JsonValue;
  readonly variant: JsonValue;
}

export function imageReference({ hub, image, tag, variant }: ImageParts): string {
  if (image.includes('/')) return image;
  const suffix = truthy(variant) ? `-${textOf(variant)}` : '';
  return `${textOf(hub)}/${image}:${textOf(tag)}${suffix}`;
}
