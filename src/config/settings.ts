/** The settings of `istio-operator run`, read once. What cannot be read is an error; it never becomes a default. */
import type { Diagnostic } from '../model/diagnostic.ts';
import type { OptionSpec } from './options.ts';
import { RUN_OPTIONS } from './options.ts';

type Options = typeof RUN_OPTIONS;
type ValueOf<O> = O extends OptionSpec<infer T> ? T : never;

export type Settings = { readonly [Name in keyof Options]: ValueOf<Options[Name]> } & {
  /** Where the Lease is kept; undefined when no leader is elected. */
  readonly leaseNamespace: string | undefined;
  /** Differs for operators of different revisions, so that each has a leader of its own. */
  readonly leaseName: string;
};

export type SettingsResult =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'invalid'; readonly problems: readonly Diagnostic[] };

/** Where texts come from: flags by their name without dashes, and environment variables. */
export interface SettingsSource {
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads all options and reports every problem at once. Flags that are not in the table are problems too. */
export function readSettings(source: SettingsSource): SettingsResult {
  const problems: Diagnostic[] = unknownFlags(source.flags);
  const entries = Object.entries(RUN_OPTIONS).map(([name, option]) => {
    const { text, origin } = textOf(option, source);
    const parsed = option.type.parse(text);
    if (parsed.kind === 'value') return [name, parsed.value] as const;
    problems.push(problem(origin, `${JSON.stringify(text)} cannot be read`, `Expected ${parsed.expected}.`));
    return [name, undefined] as const;
  });
  if (problems.length > 0) return { kind: 'invalid', problems };
  // Each entry was parsed by the type of its own row, which the compiler cannot follow through Object.entries.
  return withLease(Object.fromEntries(entries) as unknown as Omit<Settings, 'leaseNamespace' | 'leaseName'>);
}

function unknownFlags(flags: SettingsSource['flags']): Diagnostic[] {
  const known = new Set<string>(Object.values(RUN_OPTIONS).map(({ flag }) => flag));
  const unknown = Object.keys(flags).filter((flag) => flags[flag] !== undefined && !known.has(flag));
  return unknown.map((flag) =>
    problem(`--${flag}`, 'there is no such flag', 'See istio-operator run --help.'),
  );
}

function textOf(
  option: OptionSpec<unknown>,
  { flags, env }: SettingsSource,
): { text: string; origin: string } {
  const flag = flags[option.flag];
  if (flag !== undefined) return { text: flag, origin: `--${option.flag}` };
  for (const name of option.env) {
    const text = env[name];
    // In a pod's manifest an empty variable is how one leaves something out.
    if (text !== undefined && text !== '') return { text, origin: name };
  }
  return { text: option.default, origin: `--${option.flag}` };
}

function withLease(values: Omit<Settings, 'leaseNamespace' | 'leaseName'>): SettingsResult {
  const { leaderElection, operatorNamespace, revision } = values;
  if (leaderElection === 'true' && operatorNamespace === '') {
    const cause = 'a leader cannot be elected without the namespace of the operator';
    const remedy = 'Set POD_NAMESPACE or --operator-namespace, or use --leader-elect=false.';
    return { kind: 'invalid', problems: [problem('--leader-elect', cause, remedy)] };
  }
  const { leaseMs, leaseRenewDeadlineMs, leaseRetryMs } = values;
  if (leaseRetryMs >= leaseRenewDeadlineMs || leaseRenewDeadlineMs >= leaseMs) {
    const cause = 'a leader with these times could act after another one took over';
    const remedy =
      'The retry period must be shorter than the renew deadline, and that shorter than the lease duration.';
    return { kind: 'invalid', problems: [problem('--leader-elect-renew-deadline', cause, remedy)] };
  }
  const elects = leaderElection !== 'false' && operatorNamespace !== '';
  // The operator of the default revision shares it with one of all revisions: it is the same Deployment, changed.
  const leaseName = ['', 'default'].includes(revision)
    ? 'istio-operator-lock'
    : `istio-operator-lock-${revision}`;
  const settings = { ...values, leaseName, leaseNamespace: elects ? operatorNamespace : undefined };
  return { kind: 'settings', settings: Object.freeze(settings) };
}

function problem(path: string, cause: string, remedy: string): Diagnostic {
  return { code: 'IOP601', severity: 'error', path, cause, remedy };
}
