/** What all comparisons of objects show in the same way. */
import type { K8sObject } from '../model/object.ts';
import type { Style, Terminal } from './terminal.ts';

/** Three lines around a change are enough to find it, as in every other diff. */
export const CONTEXT_LINES = 3;

/** A patch as a person at a terminal sees it; a pipe gets it without colours. */
export function coloured(terminal: Terminal, patch: string): string {
  const lines = patch.split('\n').map((line) => {
    const style = STYLES.find(({ start }) => line.startsWith(start))?.style;
    return style === undefined ? line : terminal.styleData(style, line);
  });
  return lines.join('\n');
}

/** The first that fits counts: names of objects begin like what is added or removed. */
const STYLES: readonly { readonly start: string; readonly style: Style }[] = [
  { start: '---', style: 'bold' },
  { start: '+++', style: 'bold' },
  { start: '@@', style: 'dim' },
  { start: '+', style: 'green' },
  { start: '-', style: 'red' },
];

/** What the server writes into every object says nothing about what was asked for. */
const NOISE: ReadonlySet<string> = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
]);

/** The object without its status and without what the server adds to its metadata. */
export function withoutNoise(object: K8sObject): K8sObject {
  const { status: _status, ...rest } = object;
  const metadata = Object.entries(object.metadata).filter(([field]) => !NOISE.has(field));
  return { ...rest, metadata: { ...Object.fromEntries(metadata), name: object.metadata.name } };
}
