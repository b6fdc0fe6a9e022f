/** Paths into a document as people read them: `spec.components.ingressGateways[0].name`. */

export type FieldPath = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;

/** Prints a path; keys that are no plain words stand in brackets: `annotations["prometheus.io/port"]`. */
export function printPath(path: FieldPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!PLAIN_KEY.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

const STEP = /\[(?<index>\d+)\]|\[(?<quoted>"(?:[^"\\]|\\.)*")\]|(?<key>[A-Za-z_][\w-]*)/gu;

/** Reads what `printPath` prints. */
export function readPath(text: string): FieldPath {
  return [...text.matchAll(STEP)].map(({ groups = {} }) => {
    if (groups['index'] !== undefined) return Number(groups['index']);
    return groups['quoted'] === undefined ? (groups['key'] ?? '') : String(JSON.parse(groups['quoted']));
  });
}
