/** The commands that talk to a cluster. Each loads its code only when it runs. */
import { Command, Option } from 'commander';
import type { AdoptOptions } from './adopt.ts';
import type { DiffOptions } from './diff.ts';
import type { CommandEnvironment } from './environment.ts';
import type { ExportOptions } from './export.ts';
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
  operatorRevisionOption,
  revisionOption,
  setOption,
  skipConfirmationOption,
} from './options.ts';
import type { PlanOptions } from './plan-command.ts';
import type { PrecheckOptions } from './precheck.ts';
import type { RemoveOptions } from './remove.ts';
import type { RevisionsOptions } from './revisions.ts';
import type { StatusOptions } from './status.ts';
import type { TagListOptions, TagRemoveOptions, TagSetOptions, TagTarget } from './tag.ts';
import type { UninstallOptions } from './uninstall.ts';
import type { VerifyOptions } from './verify.ts';
import type { WhyOptions } from './why.ts';

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
    adoptCommand(environment, finish),
    uninstallCommand(environment, finish),
    planCommand(environment, finish),
    diffCommand(environment, finish),
    statusCommand(environment, finish),
    verifyCommand(environment, finish),
    whyCommand(environment, finish),
    exportCommand(environment, finish),
    precheckCommand(environment, finish),
    revisionsCommand(environment, finish),
    tagCommand(environment, finish),
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
      operatorRevisionOption(
        'serve only this revision, as istio-operator-NAME beside other operators; "default" is the one without a name',
      ),
    )
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
    .addOption(dryRunOption('print the objects; with server, list what would change', 'client'))
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
      operatorRevisionOption('the operator of this revision, which init --revision brought; others stay'),
    )
    .addOption(
      new Option(
        '--purge',
        'delete all operators, all IstioOperators with their meshes, and their definition',
      ).default(false),
    )
    .addOption(
      new Option('--force', 'delete what is left of an operator whose Deployment is gone').default(false),
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
    .addOption(dryRunOption('tell what would change, and change nothing; with client, list all objects'))
    .addOption(durationOption('--readiness-timeout <duration>', 'how long each component may take', '300s'))
    .action(async (options: InstallOptions & { readonly readinessTimeout: number }) => {
      const { install } = await import('./install.ts');
      finish(await install(environment, { ...options, readinessTimeoutMs: options.readinessTimeout }));
    });
}

function adoptCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('adopt')
    .description('take over what istioctl, Helm or the operator of Istio 1.23 installed, without a restart')
    .addOption(
      new Option('--resource', 'leave it to the operator in the cluster, by giving it the resource').default(
        false,
      ),
    )
    .addOption(new Option('--allow-restarts', 'take over even if pods have to restart').default(false))
    .addOption(skipConfirmationOption())
    .addOption(dryRunOption('tell what would change, and change nothing'))
    .addOption(durationOption('--readiness-timeout <duration>', 'how long each component may take', '300s'))
    .action(async (options: AdoptOptions & { readonly readinessTimeout: number }) => {
      const { adopt } = await import('./adopt.ts');
      finish(await adopt(environment, { ...options, readinessTimeoutMs: options.readinessTimeout }));
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
    .addOption(outputOption(['table', 'wide', 'yaml', 'json', 'name']))
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
    .addOption(outputOption(['tree', 'wide', 'yaml', 'json', 'name']))
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

function exportCommand(environment: CommandEnvironment, finish: Finish): Command {
  return connecting('export')
    .description('print what is installed as IstioOperators, without status and bookkeeping')
    .argument('[name]', 'only the installation of this name')
    .addOption(namespaceOption())
    .addOption(outputOption(['yaml', 'json']))
    .action(async (name: string | undefined, options: ExportOptions) => {
      const { exportInstallations } = await import('./export.ts');
      finish(await exportInstallations(environment, name === undefined ? options : { ...options, name }));
    });
}

function whyCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('why')
    .description('show which settings an object or a field follows from, and who owns it in the cluster')
    .argument('<object>', 'such as deployment/istiod, or svc/istio-system/istiod')
    .argument('[field]', 'only this field, such as spec.replicas')
    .addOption(new Option('-n, --namespace <name>', 'namespace of the object'))
    .addOption(new Option('--offline', 'ask no cluster').default(false))
    .addOption(outputOption(['text', 'wide', 'yaml', 'json']))
    .addHelpText('after', WHY_HELP)
    .action(async (object: string, field: string | undefined, options: Omit<WhyOptions, 'object'>) => {
      const { why } = await import('./why.ts');
      finish(await why(environment, { ...options, object, ...(field === undefined ? {} : { field }) }));
    });
}

const WHY_HELP = `
Without -f and --set it is about what is installed. Each setting is changed on its own and everything is rendered again:
what comes out differently is what the setting decides. Settings of which each is enough by itself are not found.`;
function precheckCommand(environment: CommandEnvironment, finish: Finish): Command {
  return requesting('precheck')
    .description('check what is in the way of an installation or an upgrade; changes nothing')
    .addOption(
      new Option('--to <tag>', 'check for this version of Istio instead of the one that is asked for'),
    )
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', '\nExit codes: 0 nothing is in the way, 1 something is, 2 it could not be checked.')
    .action(async (options: PrecheckOptions) => {
      const { precheck } = await import('./precheck.ts');
      finish(await precheck(environment, options));
    });
}

function revisionsCommand(environment: CommandEnvironment, finish: Finish): Command {
  return connecting('revisions')
    .description('show the control planes of a cluster, their tags, and how many pods use them')
    .addOption(outputOption(['table', 'wide', 'yaml', 'json']))
    .action(async (options: RevisionsOptions) => {
      const { showRevisions } = await import('./revisions.ts');
      finish(await showRevisions(environment, options));
    });
}

function tagCommand(environment: CommandEnvironment, finish: Finish): Command {
  return new Command('tag')
    .description('name revisions: namespaces use the name, and it is moved from one revision to another')
    .addCommand(tagSetCommand(environment, finish))
    .addCommand(tagGenerateCommand(environment, finish))
    .addCommand(tagListCommand(environment, finish))
    .addCommand(tagRemoveCommand(environment, finish));
}

function tagTarget(name: string): Command {
  return connecting(name)
    .argument('<tag>', 'name of the tag; "default" also serves namespaces with istio-injection=enabled')
    .addOption(new Option('-r, --revision <name>', 'revision that the tag points to').makeOptionMandatory())
    .addOption(new Option('--overwrite', 'move a tag that is there already').default(false))
    .addOption(new Option('--webhook-name <name>', 'name of the webhook; else istio-revision-tag-TAG'))
    .addOption(
      new Option(
        '--auto-inject-namespaces',
        'the tag "default" also serves namespaces and pods that ask for nothing',
      ).default(false),
    );
}

function tagSetCommand(environment: CommandEnvironment, finish: Finish): Command {
  return tagTarget('set')
    .description('make a tag, or move it to another revision')
    .addOption(skipConfirmationOption())
    .action(async (tag: string, options: TagSetOptions) => {
      const { setTag } = await import('./tag.ts');
      finish(await setTag(environment, tag, options));
    });
}

function tagGenerateCommand(environment: CommandEnvironment, finish: Finish): Command {
  return tagTarget('generate')
    .description('print the objects that set applies')
    .action(async (tag: string, options: TagTarget) => {
      const { generateTag } = await import('./tag.ts');
      finish(await generateTag(environment, tag, options));
    });
}

function tagListCommand(environment: CommandEnvironment, finish: Finish): Command {
  return connecting('list')
    .alias('show')
    .description('show all tags, and the namespaces that use them')
    .addOption(outputOption(['table', 'yaml', 'json']))
    .action(async (options: TagListOptions) => {
      const { listTags } = await import('./tag.ts');
      finish(await listTags(environment, options));
    });
}

function tagRemoveCommand(environment: CommandEnvironment, finish: Finish): Command {
  return connecting('remove')
    .alias('delete')
    .description('take a tag away')
    .argument('<tag>', 'name of the tag')
    .addOption(skipConfirmationOption())
    .action(async (tag: string, options: TagRemoveOptions) => {
      const { removeTag } = await import('./tag.ts');
      finish(await removeTag(environment, tag, options));
    });
}

function outputOption(formats: readonly [string, ...string[]]): Option {
  return new Option('-o, --output <format>', 'how to print').choices(formats).default(formats[0]);
}
