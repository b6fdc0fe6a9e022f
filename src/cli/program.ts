/** The command tree. Each command's code is loaded only when the command runs, so that help comes at once. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { RUN_OPTIONS } from '../config/options.ts';
import { clusterCommands } from './cluster-commands.ts';
import { EXIT } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import type { Shell } from './completion.ts';
import type { InjectOptions } from './kube-inject.ts';
import type { GenerateOptions } from './manifest-generate.ts';
import type { TranslateOptions } from './manifest-translate.ts';
import {
  collect,
  contextOption,
  filesOption,
  kubeconfigOption,
  manifestsOptions,
  revisionOption,
  setOption,
} from './options.ts';
import type { DumpOptions, ManifestsFlags } from './profile.ts';
import type { VersionFormat } from './version.ts';

/** What one run of the program comes to: set by the action that ran. */
interface Outcome {
  exitCode: number;
}

/** Runs the command line and resolves to the exit code. Rejects with what a command could not handle. */
export async function runProgram(environment: CommandEnvironment, argv: readonly string[]): Promise<number> {
  const outcome: Outcome = { exitCode: EXIT.ok };
  const program = createProgram(environment, outcome);
  // Not a command of the tree: its words are not to be parsed.
  const [first, ...words] = argv;
  if (first === '__complete') {
    const { complete } = await import('./completion.ts');
    environment.terminal.print(complete(program, words));
    return EXIT.ok;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
  return outcome.exitCode;
}

const EXAMPLES = `
Examples:
  istio-operator init                                        put the operator into the current cluster
  istio-operator install --set profile=demo                  install a mesh without the operator
  istio-operator diff -f mesh.yaml                           see how the cluster differs from a file
  istio-operator status                                      see what is installed, and how it is
  istio-operator manifest generate -f mesh.yaml              see what a file would install
  istio-operator manifest generate --set profile=demo | less
  istio-operator profile dump demo                           see what a profile sets

Exit codes:
  0    it worked
  1    the input or the cluster is at fault; for diff: there are differences
  2    the command line is at fault; for diff: the comparison could not be made
  130  ended by Ctrl-C`;

function createProgram(environment: CommandEnvironment, outcome: Outcome): Command {
  const program = new Command('istio-operator')
    .description('Installs and keeps Istio as IstioOperator resources describe it.')
    .version(environment.version, '-V, --version', 'print the version')
    .addHelpText('after', EXAMPLES)
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what it accepts)')
    .configureOutput({
      writeOut: (text) => environment.terminal.print(text),
      writeErr: (text) => environment.terminal.say(text.trimEnd()),
    })
    .exitOverride();
  const add = (command: Command): Command => program.addCommand(inheriting(command, program));
  for (const command of clusterCommands(environment, (exitCode) => (outcome.exitCode = exitCode)))
    add(command);
  add(manifestCommand(environment, outcome));
  add(profileCommand(environment, outcome));
  add(kubeInjectCommand(environment, outcome));
  add(versionCommand(environment, outcome));
  add(completionCommand(environment));
  add(docsCommand(environment));
  add(runCommand(environment, outcome));
  return program;
}

/** Commands that are made on their own do not take over how the program writes and ends. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}

function manifestCommand(environment: CommandEnvironment, outcome: Outcome): Command {
  const generate = new Command('generate')
    .description('print the objects that a resource stands for, without a cluster')
    .addOption(filesOption())
    .addOption(setOption())
    .addOption(revisionOption())
    .addOption(
      new Option('--component <name>', 'only this component, such as Pilot; may be repeated')
        .argParser((name: string, names: readonly string[]) => [...names, name])
        .default([], 'all'),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print; images lists only the images that are needed')
        .choices(['yaml', 'json', 'name', 'images'])
        .default('yaml'),
    )
    .addOption(new Option('--output-dir <folder>', 'write a file for each component instead of printing'))
    .addOption(
      new Option(
        '--scope <scope>',
        'only objects without or with a namespace; admin: what an administrator applies for an operator in hardened mode, labelled as its own',
      ).choices(['all', 'cluster', 'namespace', 'admin']),
    )
    .addOption(
      new Option('--cluster-facts <file>', 'what is known of the cluster: kubernetesVersion, servedKinds'),
    )
    .addOption(new Option('--kube-version <version>', 'version of Kubernetes to render for, such as v1.34.0'))
    .action(async (options: GenerateOptions) => {
      const { manifestGenerate } = await import('./manifest-generate.ts');
      outcome.exitCode = await manifestGenerate(environment, options);
    });
  for (const option of manifestsOptions()) generate.addOption(option);
  const diff = new Command('diff')
    .description('show how two files or folders of manifests differ; exit code 1 when they do, 2 for errors')
    .argument('<from>', 'file or folder, "-" for standard input')
    .argument('<to>', 'file or folder')
    .action(async (from: string, to: string) => {
      const { manifestDiff } = await import('./manifest-diff.ts');
      outcome.exitCode = await manifestDiff(environment, from, to);
    });
  const translate = new Command('translate')
    .description("write values and scripts for Helm's charts of Istio, the way out")
    .addOption(filesOption())
    .addOption(setOption())
    .addOption(revisionOption())
    .addOption(new Option('-o, --output-dir <folder>', 'where to write').makeOptionMandatory())
    .addOption(new Option('--cluster-facts <file>', 'what is known of the cluster: kubernetesVersion'))
    .addOption(new Option('--kube-version <version>', 'version of Kubernetes to render for, such as v1.34.0'))
    .action(async (options: TranslateOptions) => {
      const { manifestTranslate } = await import('./manifest-translate.ts');
      outcome.exitCode = await manifestTranslate(environment, options);
    });
  for (const option of manifestsOptions()) translate.addOption(option);
  return new Command('manifest')
    .description('look at what a resource stands for')
    .addCommand(generate)
    .addCommand(diff)
    .addCommand(translate);
}

function kubeInjectCommand(environment: CommandEnvironment, outcome: Outcome): Command {
  return new Command('kube-inject')
    .description("print workloads as the cluster's own webhook would inject them")
    .addOption(
      new Option(
        '-f, --filename <file>',
        'file or folder with workloads, "-" for standard input; may be repeated',
      )
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['yaml', 'json']).default('yaml'))
    .addOption(new Option('-n, --namespace <name>', "for objects that name none; else the context's"))
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .action(async (options: InjectOptions) => {
      const { kubeInject } = await import('./kube-inject.ts');
      outcome.exitCode = await kubeInject(environment, options);
    });
}

function completionCommand(environment: CommandEnvironment): Command {
  return new Command('completion')
    .description('print a script that teaches a shell to complete commands and flags')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'] satisfies Shell[]))
    .action(async (shell: Shell) => {
      const { completionScript } = await import('./completion.ts');
      environment.terminal.print(completionScript(shell));
    });
}

function docsCommand(environment: CommandEnvironment): Command {
  return new Command('docs')
    .description('print the help of all commands as one page of Markdown')
    .action(async () => {
      const { docsPage } = await import('./docs-page.ts');
      environment.terminal.print(docsPage(createProgram(environment, { exitCode: EXIT.ok })));
    });
}

function versionCommand(environment: CommandEnvironment, outcome: Outcome): Command {
  return new Command('version')
    .description('print the versions of this program and of the Istio that it installs')
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['text', 'yaml', 'json']).default('text'),
    )
    .action(async ({ output }: { readonly output: VersionFormat }) => {
      const { printVersion } = await import('./version.ts');
      outcome.exitCode = printVersion(environment, output);
    });
}

function profileCommand(environment: CommandEnvironment, outcome: Outcome): Command {
  const list = new Command('list')
    .description('list the profiles')
    .action(async (options: ManifestsFlags) => {
      const { listProfiles } = await import('./profile.ts');
      outcome.exitCode = await listProfiles(environment, options);
    });
  const dump = new Command('dump')
    .description('print a specification with everything that its profile sets')
    .argument('[profile]', 'name of a profile, or the path of a file that is one')
    .addOption(filesOption())
    .addOption(setOption())
    .addOption(new Option('-p, --config-path <path>', 'only what is at a path, such as components.pilot'))
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['yaml', 'json']).default('yaml'))
    .action(async (profile: string | undefined, options: DumpOptions) => {
      const { dumpProfile } = await import('./profile.ts');
      outcome.exitCode = await dumpProfile(environment, profile, options);
    });
  const diff = new Command('diff')
    .description('show how two profiles differ; exit code 1 when they do, 2 for errors')
    .argument('<from>', 'name of a profile')
    .argument('<to>', 'name of a profile')
    .action(async (from: string, to: string, options: ManifestsFlags) => {
      const { diffProfiles } = await import('./profile.ts');
      outcome.exitCode = await diffProfiles(environment, [from, to], options);
    });
  for (const command of [list, dump, diff]) {
    for (const option of manifestsOptions()) command.addOption(option);
  }
  return new Command('profile')
    .description('look at profiles')
    .addCommand(list)
    .addCommand(dump)
    .addCommand(diff);
}

function runCommand(environment: CommandEnvironment, outcome: Outcome): Command {
  const command = new Command('run').description('run the operator itself: the process in the cluster');
  for (const { flag, env, default: fallback, description } of Object.values(RUN_OPTIONS)) {
    const variables = env.length === 0 ? '' : ` [${env.join(', ')}]`;
    const shown = fallback === '' ? '' : ` (default: ${fallback})`;
    command.addOption(new Option(`--${flag} <value>`, `${description}${variables}${shown}`));
  }
  return command.action(async (_options: unknown, self: Command) => {
    outcome.exitCode = await environment.runOperator(givenFlags(self));
  });
}

/** Flags by their own names, only those that were given. */
function givenFlags(command: Command): Readonly<Record<string, string>> {
  const given = command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    return typeof value === 'string' ? [[(option.long ?? '').slice(2), value] as const] : [];
  });
  return Object.fromEntries(given);
}
