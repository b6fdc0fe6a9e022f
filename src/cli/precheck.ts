/** `istio-operator precheck`: what would get in the way of an installation or an upgrade, before anything is changed. */
import { labelledOwner } from '../apply/claim.ts';
import type { Preview, PreviewedChange } from '../apply/preview-plan.ts';
import { previewPlan } from '../apply/preview-plan.ts';
import { mapParallel } from '../apply/parallel.ts';
import { CALLS_AT_ONCE } from '../apply/run.ts';
import { diagnose } from '../core/diagnostics.ts';
import type { Planner } from '../core/plan.ts';
import { createPlanner } from '../core/plan.ts';
import type { ReleaseChange } from '../core/release-changes.ts';
import { changesBetween } from '../core/release-changes.ts';
import { releaseOfLine } from '../core/releases.ts';
import { judgeUpgrade } from '../core/upgrade.ts';
import { versionOf } from '../core/version.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { isError, printDiagnostic } from '../model/diagnostic.ts';
import { isClusterError } from '../model/cluster-error.ts';
import { displayRef, identityOf } from '../model/object.ts';
import type { Owner, Plan, PlanResult } from '../model/plan.ts';
import { EXIT, Trouble } from './command-error.ts';
import type { ClusterChoice, CommandCluster, CommandEnvironment, Connection } from './environment.ts';
import { displayOwner } from './installation.ts';
import type { LeftoverSearch } from './leftovers.ts';
import { injectionFindings, leftoverFindings } from './leftovers.ts';
import type { Subject } from './precheck-subjects.ts';
import { subjectsOf } from './precheck-subjects.ts';
import { sharedIdentities } from './prospect.ts';
import { withConnection } from './session.ts';

export interface PrecheckOptions extends ClusterChoice {
  readonly filename: readonly string[];
  readonly set: readonly string[];
  readonly revision?: string;
  /** The tag that the check is for; what the resources say when absent. */
  readonly to?: string;
  readonly output: 'text' | 'json';
}

/** What was found about one resource. */
interface Report {
  readonly resource: string;
  /** Empty for what is not installed yet. */
  readonly from: string;
  readonly to: string;
  readonly findings: readonly CheckedDiagnostic[];
  /** What the new line does otherwise. */
  readonly changes: readonly ReleaseChange[];
}

interface CheckedDiagnostic extends Diagnostic {
  /** Whether it is the new version that makes it true. */
  readonly isNew: boolean;
}

interface Checking {
  readonly environment: CommandEnvironment;
  readonly cluster: CommandCluster;
  readonly planner: Planner;
  readonly kubernetesVersion: string;
  readonly to: string | undefined;
}

/**
 * Checks every IstioOperator of the cluster, or that of the files. Changes nothing. The exit code is 1 when something
 * stands in the way; what could not be checked at all is a Trouble.
 */
export async function precheck(environment: CommandEnvironment, options: PrecheckOptions): Promise<number> {
  const checked = await withConnection(environment, options, async (connection) =>
    check(environment, connection, options),
  ).catch((error: unknown) => {
    throw new Trouble(error);
  });
  environment.terminal.print(options.output === 'json' ? asJson(checked) : asText(checked));
  const all = [...checked.cluster, ...checked.reports.flatMap(({ findings }) => findings)];
  return all.some(isError) ? EXIT.failed : EXIT.ok;
}

interface Checked {
  readonly kubernetes: string;
  /** Findings about no resource. */
  readonly cluster: readonly Diagnostic[];
  readonly reports: readonly Report[];
}

async function check(
  environment: CommandEnvironment,
  { cluster }: Connection,
  options: PrecheckOptions,
): Promise<Checked> {
  const { signal } = environment;
  const [assets, kubernetesVersion, subjects] = await Promise.all([
    environment.loadAssets(),
    cluster.serverVersion({ signal }),
    subjectsOf(environment, cluster, options),
  ]);
  const planner = createPlanner(assets);
  const checking: Checking = { environment, cluster, planner, kubernetesVersion, to: options.to };
  const reports: Report[] = [];
  for (const subject of subjects) reports.push(await reportOn(checking, subject));
  const search: LeftoverSearch = { cluster, signal };
  const leftovers = [...(await injectionFindings(search)), ...(await leftoverFindings(search))];
  return { kubernetes: kubernetesVersion, cluster: leftovers, reports };
}

async function reportOn(checking: Checking, subject: Subject): Promise<Report> {
  const { to } = checking;
  const present = planFor(checking, subject, subject.sets);
  const sets = to === undefined ? subject.sets : [...subject.sets, `tag=${to}`];
  const wanted = planFor(checking, subject, sets);
  const target = wanted.kind === 'planned' ? wanted.plan.version : (to ?? '');
  const known = new Set(subject.installed === undefined ? [] : diagnosticsOf(present).map(printDiagnostic));
  const planned = diagnosticsOf(wanted).map((finding) =>
    asChecked(finding, !known.has(printDiagnostic(finding))),
  );
  const found = wanted.kind === 'planned' ? await trialFindings(checking, subject, wanted.plan) : [];
  const findings = [...upgradeFindings(subject, target), ...found].map((finding) => asChecked(finding, true));
  return {
    resource: displayOwner(subject.owner),
    from: subject.installed ?? '',
    to: target,
    findings: [...planned, ...findings],
    changes: changesOf(subject.installed, target),
  };
}

function planFor(
  { planner, kubernetesVersion }: Checking,
  subject: Subject,
  sets: readonly string[],
): PlanResult {
  const { layers, owner, annotations, installed } = subject;
  const facts = { kubernetesVersion };
  const version = installed === undefined ? {} : { installedVersion: installed };
  return planner({ layers, sets, owner, facts, annotations, ...version });
}

function diagnosticsOf(result: PlanResult): readonly Diagnostic[] {
  return result.kind === 'planned' ? result.plan.warnings : result.diagnostics;
}

function asChecked(finding: Diagnostic, isNew: boolean): CheckedDiagnostic {
  return { ...finding, isNew };
}

function upgradeFindings({ installed, annotations }: Subject, wanted: string): readonly Diagnostic[] {
  const verdict = judgeUpgrade({ installed, wanted, annotations });
  return verdict.kind === 'refused' ? [verdict.diagnostic] : [];
}

function changesOf(installed: string | undefined, target: string): readonly ReleaseChange[] {
  const [from, to] = [installed ?? '', target].map((version) =>
    releaseOfLine(versionOf(version)?.line ?? ''),
  );
  return from === undefined || to === undefined ? [] : changesBetween(from, to);
}

/** Has the API server try everything without storing it: rights, admission and validation show by that. */
async function trialFindings(
  { environment, cluster }: Checking,
  { owner, inventory }: Subject,
  plan: Plan,
): Promise<readonly Diagnostic[]> {
  const { clock, signal } = environment;
  const preview = await previewPlan({ cluster, clock }, plan, { signal, owner, inventory });
  const creations = preview.changes.filter(
    ({ change, live }) => change.action === 'created' && live === undefined,
  );
  const refusals = await mapParallel(creations, CALLS_AT_ONCE, (creation) =>
    tried(cluster, creation, signal),
  );
  return [
    ...preview.failures.map(({ ref, message }) => notAccepted(displayRef(ref), message)),
    ...refusals.flatMap((refusal) => refusal ?? []),
    ...takenOver(preview, owner, new Set([...sharedIdentities(plan), ...inventory.map(identityOf)])),
  ];
}

/** What depends on a namespace or a kind that is made first cannot be tried. */
async function tried(
  cluster: CommandCluster,
  { change, after }: PreviewedChange,
  signal: AbortSignal,
): Promise<Diagnostic | undefined> {
  if (after === undefined) return undefined;
  try {
    await cluster.apply(after, { signal, force: true, dryRun: true });
    return undefined;
  } catch (error) {
    if (!isClusterError(error) || error.kind === 'cancelled') throw error;
    return error.kind === 'absent' ? undefined : notAccepted(displayRef(change.ref), error.message);
  }
}

function notAccepted(place: string, message: string): Diagnostic {
  return diagnose('notAccepted', {
    path: [],
    cause: message.includes(place) ? message.replace(/\.$/u, '') : `${place}: ${message.replace(/\.$/u, '')}`,
    remedy: 'The check runs with your rights; the operator has those of deploy/rbac.yaml.',
  });
}

/** Objects that are there, were not made by this installation, and would be changed by it; but for `known` ones. */
function takenOver({ changes }: Preview, owner: Owner, known: ReadonlySet<string>): readonly Diagnostic[] {
  const foreign = changes.filter(({ change, live }) => {
    if (live === undefined || change.action !== 'configured' || known.has(identityOf(change.ref)))
      return false;
    const labelled = labelledOwner(live);
    return labelled === undefined || labelled.name !== owner.name || labelled.namespace !== owner.namespace;
  });
  const [first] = foreign;
  if (first === undefined) return [];
  const others = foreign.length === 1 ? '' : ` and ${foreign.length - 1} more`;
  const finding = {
    path: [],
    cause: `${displayRef(first.change.ref)}${others} would be taken over from whoever made them`,
    remedy: 'See what would change with: istio-operator diff.',
  };
  return [diagnose('foreignObject', finding)];
}

function asJson(checked: Checked): string {
  return `${JSON.stringify(checked, null, 2)}\n`;
}

function asText({ kubernetes, cluster, reports }: Checked): string {
  const general = cluster.map((finding) => line(finding, ''));
  const sections = reports.map(({ resource, from, to, findings, changes }) =>
    [
      `${resource}: ${from === '' ? 'not installed' : from} -> ${to}`,
      ...findings.map((finding) => line(finding, finding.isNew && from !== '' ? ' (new)' : '')),
      ...(findings.length === 0 ? ['  nothing is in the way'] : []),
      ...changes.map(({ change, what }) => `  ${change === 'gained' ? 'new' : 'gone'}: ${what}`),
    ].join('\n'),
  );
  const nobody = reports.length === 0 ? ['There are no IstioOperators; check a file with -f.'] : [];
  return `${[`Kubernetes ${kubernetes}`, ...general, ...sections, ...nobody].join('\n')}\n`;
}

function line(finding: Diagnostic, mark: string): string {
  return `  ${finding.severity}${mark}: ${printDiagnostic(finding)}`;
}
