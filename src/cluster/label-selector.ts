/** Label selectors as the API understands them, to tell whether an object that we wrote belongs to a watch. */

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

interface Form {
  readonly pattern: RegExp;
  readonly requirement: (key: string, value: string) => Requirement;
}

const KEY = '([A-Za-z0-9][A-Za-z0-9_./-]*)';

/** In order; the first form that matches counts. */
const FORMS: readonly Form[] = [
  { pattern: new RegExp(`^!\\s*${KEY}()$`), requirement: (key) => (labels) => !Object.hasOwn(labels, key) },
  { pattern: new RegExp(`^${KEY}()$`), requirement: (key) => (labels) => Object.hasOwn(labels, key) },
  {
    pattern: new RegExp(`^${KEY}\\s*==?\\s*(.*)$`),
    requirement: (key, value) => (labels) => labels[key] === value,
  },
  {
    pattern: new RegExp(`^${KEY}\\s*!=\\s*(.*)$`),
    requirement: (key, value) => (labels) => labels[key] !== value,
  },
  {
    pattern: new RegExp(`^${KEY}\\s+in\\s*\\(([^)]*)\\)$`),
    requirement: (key, value) => (labels) => choices(value).includes(labels[key] ?? NONE),
  },
  {
    pattern: new RegExp(`^${KEY}\\s+notin\\s*\\(([^)]*)\\)$`),
    requirement: (key, value) => (labels) => !choices(value).includes(labels[key] ?? NONE),
  },
];

/** No label value: it holds a character that labels cannot have. */
const NONE = '\u0000';

/** Makes a test of a selector such as `app=istiod,!retired,tier in (a, b)`. Throws on anything else: it is our own text. */
export function labelMatcher(selector: string): (labels: Labels) => boolean {
  const requirements = partsOf(selector).map((part) => requirementOf(part));
  return (labels) => requirements.every((holds) => holds(labels));
}

/** Splits at commas outside of brackets. */
function partsOf(selector: string): readonly string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function requirementOf(part: string): Requirement {
  for (const { pattern, requirement } of FORMS) {
    const match = pattern.exec(part);
    if (match !== null) return requirement(match[1] ?? '', (match[2] ?? '').trim());
  }
  throw new Error(`"${part}" is not a label selector`);
}

function choices(list: string): readonly string[] {
  return list.split(',').map((choice) => choice.trim());
}
