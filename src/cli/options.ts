/** Options that several commands share, declared once. */
import { Option } from 'commander';

/** Collects a flag that may be repeated. `-f a -f b` and `-f a,b` mean the same where commas separate. */
function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
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

export function kubeconfigOption(): Option {
  return new Option('-c, --kubeconfig <file>', 'kubeconfig file; else KUBECONFIG, then ~/.kube/config');
}

export function contextOption(): Option {
  return new Option('--context <name>', 'context of the kubeconfig other than its current one');
}
