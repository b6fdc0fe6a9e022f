/** Options that several commands share, declared once. */
import { InvalidArgumentError, Option } from 'commander';
import { DURATION_MS, NAMESPACES, OPTIONAL_NAME } from '../config/value-types.ts';
import type { ValueType } from '../config/value-types.ts';

/** Collects a flag that may be repeated. `-f a -f b` and `-f a,b` mean the same where commas separate. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

export function filesOption(): Option {
  return new Option(
    '-f, --filename <file>',
    'file with an IstioOperator, "-" for standard input; may be repeated, later files win',
  )
    .argParser(collect)
    .default([], 'the default profile');
}

export function setOption(): Option {
  return new Option(
    '-s, --set <path=value>',
    'change one field, such as components.cni.enabled=true; may be repeated',
  )
    .argParser(collect)
    .default([], 'none');
}

export function revisionOption(): Option {
  return new Option('-r, --revision <name>', 'revision of the control plane');
}

/** The revision that an operator serves, which also names it. */
export function operatorRevisionOption(description: string): Option {
  return new Option('-r, --revision <name>', description).argParser(reader(OPTIONAL_NAME));
}

/** `-d` and its older name, which help does not show. Both mean `--set installPackagePath=FOLDER`. */
export function manifestsOptions(): readonly Option[] {
  return [
    new Option(
      '-d, --manifests <folder>',
      'folder with own profiles, profiles/NAME.yaml, for the built-in ones',
    ),
    new Option('--charts <folder>', 'the same').hideHelp(),
  ];
}

export function kubeconfigOption(): Option {
  return new Option('-c, --kubeconfig <file>', 'kubeconfig file; else KUBECONFIG, then ~/.kube/config');
}

export function contextOption(): Option {
  return new Option('--context <name>', 'context of the kubeconfig other than its current one');
}

/** Names separated by commas; the flag may be repeated. */
export function namesOption(flags: string, description: string): Option {
  const read = reader(NAMESPACES);
  return new Option(flags, description)
    .argParser((text: string, previous: readonly string[] | undefined) => [
      ...(previous ?? []),
      ...read(text),
    ])
    .default([], 'none');
}

/** A duration, in milliseconds once read; a bare number counts seconds. */
export function durationOption(flags: string, description: string, fallback: string): Option {
  const read = reader(DURATION_MS);
  return new Option(flags, description)
    .argParser((text: string) => read(/^\d+$/u.test(text) ? `${text}s` : text))
    .default(read(fallback), fallback);
}

export function namespaceOption(): Option {
  return new Option('-n, --namespace <name>', 'only what is in this namespace; else in all of them');
}

export function skipConfirmationOption(): Option {
  return new Option('-y, --skip-confirmation', 'do not ask').default(false);
}

/**
 * How much of a command is done. `client`: nothing is asked of the cluster that is not needed to know what is meant.
 * `server`: the API server is asked what would become of it, and stores nothing.
 */
export type DryRun = 'none' | 'client' | 'server';

/** `bare` is what the flag means without a value. */
export function dryRunOption(description: string, bare: Exclude<DryRun, 'none'> = 'server'): Option {
  return new Option('--dry-run [mode]', description)
    .choices(['none', 'client', 'server'] satisfies DryRun[])
    .preset(bare)
    .default('none');
}

function reader<T>(type: ValueType<T>): (text: string) => T {
  return (text) => {
    const parsed = type.parse(text);
    if (parsed.kind === 'value') return parsed.value;
    throw new InvalidArgumentError(`Expected ${parsed.expected}.`);
  };
}
