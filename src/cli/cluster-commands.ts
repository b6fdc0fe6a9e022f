/** The commands that talk to a cluster. Each loads its code only when it runs. */
import { Command, Option } from 'commander';
import type { DiffOptions } from './diff.ts';
import type { CommandEnvironment } from './environment.ts';
import type { InitOptions } from './init.ts';
import type { InstallOptions } from './install.ts';
import type { OperatorChoices } from './operator-objects.ts';
import {
  contextOption,
  dryRunOption,
  durationOption,
  filesOption,
  kubeconfigOption,
  manifestsOptions,
  namesOption,
  namespaceOption,
  revisionOption,
  setOption,
  skipConfirmationOption,
} from './options.ts';
import type { PlanOptions } from './plan-command.ts';
import type { RemoveOptions } from './remove.ts';
import type { StatusOptions } from './status.ts';
import type { UninstallOptions } from './uninstall.ts';
import type { VerifyOptions } from './verify.ts';

/** Takes what a command came to. */
type Finish = (exitCode: number) => void;

/** All of them, in the order of the help. */
export function clusterCommands(environment: CommandEnvironment, finish: Finish): readonly Command[] {
  return [
    initCommand(environment, finish),
    removeCommand(environment, finish),
    dumpCommand(environment, finish),
    installCommand('install', environment, finish)
      .alias('apply')
      .description('install a mesh, or change it, without the operator; shows what would change and asks'),
    installCommand('upgrade', environment, finish).description(
      'the same as install: what is there is brought to this release',
    ),
    uninstallCommand(environment, finish),
    planCommand(environment, finish),
    diffCommand(environment, finish),
    statusCommand(environment, finish),
    verifyCommand(environment, finish),
  ];
}

/** A command that connects. */
function connecting(name: string): Command {
  return new Command(name).addOption(kubeconfigOption()).addOption(contextOption());
}

/** A command about what files and flags ask for. */
function requesting(name: string): Command {
  const command = connecting(name)
    .addOption(filesOption())
    .addOption(setOption())
    .addOption(revisionOption());
  for (const option of manifestsOptions()) command.addOption(option);
  return command;
}

function withOperatorChoices(command: Command): Command {
  return command
    .addOption(new Option('--image <reference>', 'image of the operator; wins over --hub and --tag'))
    .addOption(
      new Option('--hub <registry>', 'registry and path of the image, such as registry.example.com/mesh'),
    )
    .addOption(new Option('--tag <tag>', 'tag of the image instead of the released one'))
    .addOption(operatorNamespaceOption())
    .addOption(
      namesOption(
        '--watchedNamespaces <names>',
        'only IstioOperators of these namespaces are handled; else of all',
      ),
    )
    .addOption(namesOption('--imagePullSecrets <names>', 'secrets to pull the image with'));
}

function operatorNamespaceOption(): Option {
  return new Option('--operatorNamespace <name>', 'namespace of the operator').default('istio-operator');
}

function initCommand(environment: CommandEnvironment, finish: Finish): Command {
  return withOperatorChoices(connecting('init'))
    .description('install the operator into a cluster, or bring it up to date')
    .addOption(new Option('-f, --filename <file>', 'an IstioOperator to apply when the operator runs'))
    .addOption(dryRunOption('print the objects instead of applying them'))
    .addOption(durationOption('--timeout <duration>', 'how long to wait for the operator to run', '300s'))
    .action(async (options: InitOptions & TimeoutFlag) => {
      const { init } = await import('./init.ts');
      finish(await init(environment, { ...options, timeoutMs: options.timeout }));
    });
}

interface TimeoutFlag {
  /** In milliseconds. */
  readonly timeout: number;
}

function removeCommand(environment: CommandEnvironment, finish: Finish): Command {
  return connecting('remove')
    .description('remove the operator; IstioOperators and their meshes stay')
    .addOption(operatorNamespaceOption())
    .addOption(
      new Option('--purge', 'delete all IstioOperators with their meshes, and their definition').default(
        false,
      ),
    )
    .addOption(skipConfirmationOption())
    .addOption(dryRunOption('list what would be deleted'))
    .addOption(durationOption('--timeout <duration>', 'how long to wait until everything is gone', '300s'))
    .action(async (options: RemoveOptions & TimeoutFlag) => {
      const { remove } = await import('./remove.ts');
      finish(await remove(environment, { ...options, timeoutMs: options.timeout }));
    });
}

function dumpCommand(environment: CommandEnvironment, finish: Finish): Command {
  return withOperatorChoices(new Command('dump'))
    .description('print the objects that init applies')
    .action(async (options: OperatorChoices) => {
      const { dump } = await import('./init.ts');
      finish(await dump(environment, options));
    });
}

function installCommand(name: string, environment: CommandEnvironment, finish: Finish): Command {
  return requesting(name)
    .addOption(skipConfirmationOption())
    .addOption(dryRunOption('tell what would change, and change nothing'))
    .addOption(durationOption('--readiness-timeout <duration>', 'how long each component may take', '300s'))
    .action(async (options: InstallOptions & { readonly readinessTimeout: number }) => {
      const { install } = await import('./install.ts');
      finish(await install(environment, { ...options, readinessTimeoutMs: options.readinessTimeout }));
    });
}

function uninstallCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('uninstall')
    .description("remove what install brought; Istio's resource definitions stay unless purged")
    .addOption(
      new Option('--purge', 'remove everything, with the definitions and all Istio configuration').default(
        false,
      ),
    )
    .addOption(skipConfirmationOption())
    .addOption(dryRunOption('list what would be deleted'))
    .addOption(durationOption('--timeout <duration>', 'how long to wait until everything is gone', '300s'))
    .action(async (options: UninstallOptions & TimeoutFlag) => {
      const { uninstall } = await import('./uninstall.ts');
      finish(await uninstall(environment, { ...options, timeoutMs: options.timeout }));
    });
}

function planCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('plan')
    .description('count what applying would create, change and prune')
    .addOption(outputOption(['table', 'wide', 'yaml', 'json']))
    .action(async (options: PlanOptions) => {
      const { showPlan } = await import('./plan-command.ts');
      finish(await showPlan(environment, options));
    });
}

function diffCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('diff')
    .description('show how the cluster differs from what is asked for')
    .addHelpText('after', '\nExit codes: 0 there is no difference, 1 there are some, 2 it could not be told.')
    .action(async (options: DiffOptions) => {
      const { diffLive } = await import('./diff.ts');
      finish(await diffLive(environment, options));
    });
}

function statusCommand(environment: CommandEnvironment, finish: Finish): Command {
  return connecting('status')
    .description('show what is installed, and how it is')
    .argument('[name]', 'only the installation of this name')
    .addOption(namespaceOption())
    .addOption(new Option('-A, --all-namespaces', 'in all namespaces, as without -n').conflicts('namespace'))
    .addOption(outputOption(['tree', 'wide', 'yaml', 'json']))
    .addOption(new Option('-w, --watch', 'show it again whenever it changes, until Ctrl-C').default(false))
    .action(async (name: string | undefined, options: StatusOptions) => {
      const { status } = await import('./status.ts');
      finish(await status(environment, name === undefined ? options : { ...options, name }));
    });
}

function verifyCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('verify')
    .description('check that everything that belongs to an installation is there and works')
    .argument('[name]', 'only the installation of this name')
    .addOption(namespaceOption())
    .addHelpText('after', '\nExit codes: 0 all is well, 1 something is missing or does not work.')
    .action(async (name: string | undefined, options: VerifyOptions) => {
      const { verify } = await import('./verify.ts');
      finish(await verify(environment, name === undefined ? options : { ...options, name }));
    });
}

function outputOption(formats: readonly [string, ...string[]]): Option {
  return new Option('-o, --output <format>', 'how to print').choices(formats).default(formats[0]);
}
